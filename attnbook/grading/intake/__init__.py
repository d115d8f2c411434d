"""From what an LMS hands over to one notebook for each student and sheet."""
