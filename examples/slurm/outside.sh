#!/bin/sh
# Each step a job of its own: localproc runs here, on a login node, its tasks wherever Slurm says.
#
#   ./outside.sh PACKAGE INPUTS [FOLDER]
#
# FOLDER is on a file system that the nodes see; the store of jobs stays on this machine. Should this
# be interrupted, "localproc --home ... resume" goes on, from here or from another shell.
set -e
shared=${3:-$PWD}
home=${LOCALPROC_HOME:-/tmp/localproc-$(id -un)}

exec localproc --home "$home" run "$1" "$2" --work "$shared" --results "$shared/results" \
  --executor slurm --executor-option slurm.mode=bundle --executor-option slurm.bundle_cores=8
