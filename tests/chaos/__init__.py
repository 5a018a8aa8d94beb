"""Jobs whose engine and keeper are killed at random; not part of the test suite: ``make chaos``."""
