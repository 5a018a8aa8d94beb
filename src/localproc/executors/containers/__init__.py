"""Container runtimes whose containers are plain processes: any executor can run their commands."""
