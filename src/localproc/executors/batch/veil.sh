# Runs a task that has secrets, on a node: veil.sh OWN PYTHON FILE. FILE says what to run and what to
# hide; whoever reads it removes it. OWN is the Python that localproc runs in, PYTHON another one.

for python in "$1" "$2"; do
  if "$python" -I -S -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null; then
    exec "$python" -I -S "${0%/*}/veil.py" "$3"
  fi
done
rm -f -- "$3"
echo "localproc: a task with secrets needs Python 3.9 or newer on its node" >&2
exit 126
