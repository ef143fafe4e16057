#!/bin/sh
# enable: makes systemd run this script at every boot until it succeeds, and now if systemd is up.
# keys:   adds the keys of edge-vc-ssh-keys beside it to those of the first user, once each.
# run:    installs wheels, bundle and service from edge-vc-payload.tar beside this script.
# Output goes to edge-vc-first-boot.log beside it, which any PC can read from the card;
# edge-vc-first-boot.status holds one line. To retry, reboot the board.
set -eu
umask 022
boot=$(cd "$(dirname "$0")" && pwd)
system=${EDGE_VC_SYSTEM_ROOT:-}
root=$system/opt/edge-vc
units=$system/etc/systemd/system
log=$boot/edge-vc-first-boot.log
status=$boot/edge-vc-first-boot.status

enable() {
  mkdir -p "$units/multi-user.target.wants"
  cat >"$units/edge-vc-first-boot.service" <<UNIT
[Unit]
Description=Installation of Edge VC from the boot partition
RequiresMountsFor=$boot /boot/firmware
ConditionPathExists=$boot/edge-vc-first-boot.sh
After=local-fs.target

[Service]
Type=oneshot
ExecStart=/bin/sh $boot/edge-vc-first-boot.sh run
TimeoutStartSec=1800

[Install]
WantedBy=multi-user.target
UNIT
  ln -sf ../edge-vc-first-boot.service "$units/multi-user.target.wants/edge-vc-first-boot.service"
  if [ "${1:-}" = --start ]; then
    systemctl daemon-reload
    systemctl start --no-block edge-vc-first-boot
  fi
}

keys() {
  user=$(getent passwd 1000 | cut -d: -f1)
  folder=$system$(getent passwd 1000 | cut -d: -f6)/.ssh
  mkdir -p "$folder"
  while IFS= read -r key; do
    grep -qxF -e "$key" "$folder/authorized_keys" 2>/dev/null ||
      printf '%s\n' "$key" >>"$folder/authorized_keys"
  done <"$boot/edge-vc-ssh-keys"
  chmod 700 "$folder"
  chmod 600 "$folder/authorized_keys"
  chown -R "$user:" "$folder"
}

say() { printf '%s %s\n' "$(date -u +%FT%TZ)" "$*"; }

ended() {
  code=$?
  if [ "$code" = 0 ]; then
    echo "done: $id" >"$status"
  else
    say "FAILED (exit $code) at: $step"
    echo "failed at: $step; see edge-vc-first-boot.log" >"$status"
  fi
  sync
  exit "$code"
}

point() {
  rm -f "$root/.in-venv"
  ln -s "$1" "$root/.in-venv"
  mv -fT "$root/.in-venv" "$root/venv"
}

run() {
  step="reading the payload" id=unknown
  [ "$(stat -c %s "$log" 2>/dev/null || echo 0)" -lt 1000000 ] || : >"$log"
  exec >>"$log" 2>&1
  trap ended EXIT
  trap 'exit 143' HUP INT TERM
  id=$(cut -c1-64 "$boot/edge-vc-payload.sha256")
  if [ "$(cat "$root/.first-boot" 2>/dev/null || :)" = "$id" ]; then
    say "$id is installed already"
    return
  fi
  say "installing $id"
  (cd "$boot" && sha256sum --check --quiet edge-vc-payload.sha256)

  step="unpacking the payload"
  incoming=$root/incoming  # the installer removes names that begin with .in-
  rm -rf "$incoming"
  mkdir -p "$incoming" "$root/wheels" "$root/venvs"
  tar -xf "$boot/edge-vc-payload.tar" -C "$incoming" --no-same-owner
  (cd "$incoming" && sha256sum --check --quiet hashes)

  step="making the virtual environment"
  venv=$(cat "$incoming/venv-id")
  cp "$incoming"/wheels/*.whl "$incoming/requirements.txt" "$root/wheels/"
  sed -n 's|  wheels/| |p' "$incoming/hashes" >"$root/wheels/hashes"
  mv -f "$root/wheels/requirements.txt" "$root/wheels/$venv.txt"
  if [ ! -e "$root/venvs/$venv/.complete" ]; then
    rm -rf "$root/venvs/$venv"
    if ! python3 -m venv "$root/venvs/$venv"; then
      # venv does not report why pip could not be installed.
      python=$root/venvs/$venv/bin/python3
      [ ! -x "$python" ] || "$python" -m ensurepip --default-pip || :
      exit 1
    fi
    "$root/venvs/$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
      --no-cache-dir --no-index --find-links "$root/wheels" --require-hashes \
      -r "$root/wheels/$venv.txt"
    : >"$root/venvs/$venv/.complete"
  fi
  point "venvs/$venv"

  step="listing the signer"
  if [ -e "$incoming/allowed_signers" ]; then
    mkdir -p "$system/etc/edge-vc"
    list=$system/etc/edge-vc/allowed_signers
    if ! grep -qxF -f "$incoming/allowed_signers" "$list" 2>/dev/null; then
      { cat "$list" 2>/dev/null || :; cat "$incoming/allowed_signers"; } >"$list.part"
      mv -f "$list.part" "$list"
    fi
  fi

  step="installing the bundle"
  "$root/venv/bin/edge-vc-rt" install "$incoming/bundle.evc" --root "$root"

  step="setting up the sound cards" anew=
  if [ -e "$incoming/audio.sh" ]; then
    said=$(sh "$incoming/audio.sh" "$(cat "$incoming/audio-overlays")" \
      "$(cat "$incoming/audio-rules")" "$system")
    say "sound cards: $said"
    # A card already has its overlays; in an image built with the layer they are new.
    case $said in *restart*) anew=yes ;; esac
  fi

  step="making the account of the service"
  sh "$incoming/service-user.sh" make

  step="starting the service"
  cp "$incoming/edge-vc.service" "$units/edge-vc.service"
  systemctl daemon-reload
  systemctl enable edge-vc
  systemctl restart edge-vc

  step="cleaning up"
  rm -rf "$incoming"
  sync
  echo "$id" >"$root/.first-boot"
  rm -f "$units/multi-user.target.wants/edge-vc-first-boot.service"
  say "done"
  [ -z "$anew" ] || systemctl --no-block reboot
}

case ${1:-} in
enable) enable "${2:-}" ;;
keys) keys ;;
run) run ;;
*)
  echo "usage: edge-vc-first-boot.sh enable [--start] | keys | run" >&2
  exit 2
  ;;
esac
