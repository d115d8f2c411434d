"""The wall around students' code, from both sides. Linux only.

`process` is the grader's side: bubblewrap (`bwrap`) gives a worker a
read-only system without network and without anything of the instructor's.
`inside` is what runs behind it; `jail` takes the last privileges away,
process by process. Nothing is imported here, for both sides would get it.
"""
