"""What students get: the package without grading/ and release/, and sheets."""
