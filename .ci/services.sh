# What tests need beside Python. Every function leaves alone what is there already.

# Chromium, which looks at the pages.
have_chromium() {
  command -v chromium chromium-browser >/dev/null || install chromium
}

# Node, with which cwltool evaluates JavaScript.
have_node() {
  command -v node nodejs >/dev/null || install nodejs
}

# Charliecloud, whose containers need no root and no daemon, and what the images of tests are made of.
have_charliecloud() {
  command -v busybox >/dev/null || install busybox-static
  command -v ch-run >/dev/null || install charliecloud-runtime
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
  trap end_docker EXIT
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

install() {
  local as_root=()
  if [ "$(id -u)" != 0 ]; then
    as_root=(sudo -n)
  fi
  "${as_root[@]}" apt-get -q update
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -q install --yes --no-install-recommends "$1"
}
