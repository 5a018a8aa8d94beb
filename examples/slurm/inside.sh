#!/bin/sh
# The whole workflow in one allocation: localproc runs here, its tasks on the nodes of this job.
#
#   sbatch inside.sh PACKAGE INPUTS
#
# A minute before its time is up Slurm sends TERM: localproc ends and leaves its job as it stands.
# With requeue_self this script is handed in once more, and goes on where it was.
#SBATCH --job-name=localproc
#SBATCH --nodes=2 --ntasks-per-node=1 --cpus-per-task=4 --mem=4000M
#SBATCH --time=60
#SBATCH --signal=B:TERM@60

home=${LOCALPROC_HOME:-$SLURM_SUBMIT_DIR/localproc-$SLURM_JOB_NAME}
options="--executor-option slurm-allocation.requeue_self=true"

if [ -n "$LOCALPROC_SUCCESSOR" ] || [ "${SLURM_RESTART_COUNT:-0}" -gt 0 ]; then
  exec localproc --home "$home" resume $options
fi
exec localproc --home "$home" run "$1" "$2" --executor slurm-allocation $options
