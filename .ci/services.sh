# What tests need beside Python. Every function leaves alone what is there already.

# Chromium, which looks at the pages.
have_chromium() {
  command -v chromium chromium-browser >/dev/null || install chromium
}

# Node, with which cwltool evaluates JavaScript.
have_node() {
  command -v node nodejs >/dev/null || install nodejs
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
