# Runs tasks of a batch on a node, with a POSIX shell and setsid(1). The script of a batch sources it
# after it has set:
#   folder  the folder of the batch       done   the folder of exit records
#   name    the batch's name              job    the id that the scheduler gave the job
#   tmp     where temporary folders are made   runner   the folder of this file
#   part    how many tasks a file of them has
#   machine the boot id of the machine whose own disk all that lies on, if it is one's; or nothing
# A file of tasks defines "describe NUMBER", which sets outdir, limit, stdin, stdout, stderr, wants_local,
# and "command_of NUMBER", which becomes the command of a task. A task begins where its marker can be made, so a job
# that is started twice runs nothing twice. Its exit record is lines of "WORD VALUE", the last ones
# being those of times(1).

read -r host </proc/sys/kernel/hostname

begin() {  # MARKER: whether nobody has begun that before; ends the script if it cannot be told
  set -C  # "true", as ":" would end the script where the marker is there
  { true >"$folder/begun.$1"; } 2>/dev/null || {
    [ ! -e "$folder/begun.$1" ] || return 1
    echo "$folder cannot be written" >&2
    exit 1
  }
  set +C
  printf '%s %s\n' "$job" "$host" >"$folder/begun.$1" || {
    rm -f -- "$folder/begun.$1"
    exit 1
  }
}

run_one() {  # NUMBER
  number=$1 pid= code= stopping= timers= local=
  trap 'interrupted=1; stop TERM' TERM  # the scheduler, or somebody by way of it
  trap 'interrupted=1; [ ! -e "$folder/stop.$number" ] || stop note' USR2  # localproc
  trap 'interrupted=1; stop late' USR1
  begin "$number" || return 0
  . "$folder/tasks.$((number / part)).sh"
  describe "$number"
  if [ -e "$folder/stop.$number" ]; then
    stopping=note code=143
  else
    make_local
    start <"$stdin" >>"$stdout" 2>>"$stderr" &
    pid=$!
    [ -z "$limit" ] || late_after "$limit"
    [ -z "$stopping" ] || stop "$stopping"
    await
    kill -s KILL -- "-$pid" 2>/dev/null
    pid=
    for timer in $timers; do kill -s KILL -- "-$timer" 2>/dev/null; done
    [ -z "$local" ] || rm -rf -- "$local"
  fi
  write_record
}

start() {
  trap - TERM USR1 USR2
  cd -- "$outdir" || exit 126
  command_of "$number"
}

await() {  # for the task's end; a trap that runs meanwhile ends a wait
  while :; do
    interrupted=
    wait "$pid"
    status=$?
    [ "$status" = 127 ] && [ -n "$code" ] || code=$status
    [ -n "$interrupted" ] || return 0
  done
}

stop() {  # ask the task to end, and see to it
  stopping=${stopping:-$1}
  [ -n "$pid" ] || return 0
  grace=2
  [ ! -r "$folder/stop.$number" ] || read -r grace <"$folder/stop.$number"
  kill -s TERM -- "-$pid" 2>/dev/null || kill -s TERM "$pid" 2>/dev/null
  after "$grace" KILL "-$pid"
}

late_after() {  # SECONDS: this shell is told, which may be one of many in a bundle
  read -r self _ </proc/self/stat
  after "$1" USR1 "$self"
}

after() {  # SECONDS SIGNAL PROCESS: in a session of its own, so that no task is hit
  setsid sh -c 'sleep "$1"; kill -s "$2" -- "$3"' sh "$@" </dev/null >/dev/null 2>&1 &
  timers="$timers $!"
}

make_local() {  # a temporary folder on the node, for a task whose command names none
  [ -n "$wants_local" ] || return 0
  if [ -n "$machine" ]; then  # two processes less for each task
    read -r here </proc/sys/kernel/random/boot_id
    [ "$here" != "$machine" ] || return 0
  fi
  local=$tmp/localproc.$job.$number
  mkdir -p -m 700 -- "$local" 2>/dev/null || local=
}

write_record() {  # it counts once its last line is there; a disk that is full may have room again
  tries=0
  until say_record >"$done/$name.$number"; do
    [ "$((tries += 1))" -lt 60 ] || return 1
    sleep 1
  done
}

say_record() {
  list_outputs && echo "code $code" && echo "host $host" && echo "job $job" &&
    { [ -z "$stopping" ] || echo "why $stopping"; } && measure && times
}

list_outputs() {  # the files that it has left, with their sizes: other machines may see them later
  set -- "$outdir"/*
  [ -e "$1" ] || [ -L "$1" ] || return 0
  LC_ALL=C TIME_STYLE=locale ls -ln -- "$outdir" 2>/dev/null | {
    listed=0
    while [ "$listed" -lt 100 ] && read -r mode _ _ _ size _ _ _ file; do
      case $mode in -*) echo "file $size $file" || exit 1 ;; esac
      listed=$((listed + 1))
    done
  }
}

measure() {  # the memory that the kernel has counted for the job, if it has for this job alone
  while IFS=: read -r _ kind path; do
    case $path in *"$job"*) ;; *) continue ;; esac
    case $kind in
      memory)
        group=/sys/fs/cgroup/memory$path
        peak_file=memory.max_usage_in_bytes events=memory.oom_control
        ;;
      '')
        group=/sys/fs/cgroup$path
        peak_file=memory.peak events=memory.events
        ;;
      *) continue ;;
    esac
    [ -r "$group/$peak_file" ] && read -r peak <"$group/$peak_file" && echo "peak $peak"
    [ "$code" = 137 ] && [ -r "$group/$events" ] && while read -r word count; do
      [ "$word" != oom_kill ] || echo "oom $count"
    done <"$group/$events"
  done </proc/self/cgroup
  return 0
}

run_bundle() {  # COUNT SLOTS CORES RAM PYTHON OWN: all tasks, as many at a time as there is room for
  workers= leaving=
  trap 'leaving=1; kill -s TERM $workers 2>/dev/null' TERM
  trap 'kill -s USR2 $workers 2>/dev/null' USR2
  begin bundle || return 0
  for python in "$6" "$5"; do  # that of localproc may be on the node as well
    [ -n "$python" ] || continue
    (  # the signals are ignored until the keeper listens to them
      trap '' TERM USR2
      exec "$python" -I -S "$runner/bundle.py" "$folder" "$job" "$tmp" "$3" "$4"
    ) &
    workers=$!
    await_workers
    [ ! -e "$folder/journal" ] || return 0  # it is one that can
  done
  trap '' USR2  # it would end a shell that does not listen to it yet, or never does
  give_signs &
  signs=$! workers= worker=0
  while [ -z "$leaving" ] && [ "$worker" -lt "$2" ]; do
    work "$worker" "$1" "$2" &
    workers="$workers $!" worker=$((worker + 1))
  done
  trap 'kill -s USR2 $workers 2>/dev/null' USR2
  kill -s USR2 $workers 2>/dev/null  # one may have come meanwhile
  await_workers
  kill -s KILL "$signs"
}

give_signs() {  # of life, for as long as there is the script: the file gets another time
  while kill -s 0 "$$" 2>/dev/null; do
    touch -- "$folder/alive" 2>/dev/null
    sleep 5
  done
}

await_workers() {
  for worker in $workers; do
    while kill -s 0 "$worker" 2>/dev/null; do wait "$worker"; done
  done
}

work() {  # FIRST COUNT STEP: every so many of the tasks, each by a shell of its own
  number=$1 left= child=
  trap 'left=1; [ -z "$child" ] || kill -s TERM "$child" 2>/dev/null' TERM
  while [ -z "$left" ] && [ "$number" -lt "$2" ]; do
    trap '' USR2  # not to end a shell that begins: it looks for a note once it listens
    (run_one "$number") &
    child=$!
    trap '[ ! -e "$folder/stop.$number" ] || kill -s USR2 "$child" 2>/dev/null' USR2
    [ ! -e "$folder/stop.$number" ] || kill -s USR2 "$child" 2>/dev/null
    [ -z "$left" ] || kill -s TERM "$child" 2>/dev/null
    while kill -s 0 "$child" 2>/dev/null; do wait "$child"; done
    child=
    number=$(($number + $3))
  done
}
