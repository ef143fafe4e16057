# Prints the facts that a host needs to know about a board, as KEY=VALUE; changes nothing.
set -u
root=$1 key=$2
case $root in /*) ;; *) root=$HOME/$root ;; esac
LC_ALL=C
export LC_ALL
say() { printf '%s=%s\n' "$1" "$(printf %s "$2" | tr -cd '[:print:]' | cut -c1-400)"; }
above() {
  place=$1
  while [ ! -d "$place" ]; do place=$(dirname "$place"); done
  printf %s "$place"
}
say root "$root"
say arch "$(uname -m)"
say bits "$(getconf LONG_BIT 2>/dev/null)"
say glibc "$(getconf GNU_LIBC_VERSION 2>/dev/null | cut -d' ' -f2)"
say python "$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)"
say venv "$(python3 -c 'import ensurepip, venv; print("yes")' 2>/dev/null)"
say keygen "$(command -v ssh-keygen)"
say free_kb "$(df -Pk "$(above "$root")" 2>/dev/null | awk 'NR == 2 { print $4 }')"
say ram_kb "$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo 2>/dev/null)"
say audio_group "$(grep -c '^audio:' /etc/group 2>/dev/null)"
say cards "$(grep -c '^ *[0-9]' /proc/asound/cards 2>/dev/null)"
say audio "$(for file in /boot/firmware/config.txt /boot/config.txt /etc/udev/rules.d/60-edge-vc-audio.rules; do
  grep -q 'edge-vc.*--configure-audio' "$file" 2>/dev/null && { echo yes; break; }
done)"
say model "$(tr -d '\000' 2>/dev/null </proc/device-tree/model)"
say tegra "$(head -n 1 /etc/nv_tegra_release 2>/dev/null)"
say power "$(nvpmodel -q 2>/dev/null | tr '\n' ' ')"
say clock "$(date +%s)"
say user "$(id -un)"
say uid "$(id -u)"
say home "$HOME"
say writable "$([ -w "$(above "$root")" ] && echo yes)"
say sudo "$(command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null && echo yes || echo password; })"
can_root_write() { if [ "$(id -u)" = 0 ]; then [ -w "$1" ]; else sudo -n test -w "$1" 2>/dev/null; fi; }
say root_writable "$(can_root_write "$(above "$root")" && echo yes)"
say systemd "$([ -d /run/systemd/system ] && echo yes)"
say current "$(readlink "$root/current" 2>/dev/null)"
say bundle "$(sha256sum 2>/dev/null <"$root/current/bundle.evc" | cut -c1-64)"
say settled "$(grep -c '"pending": ""' "$root/state.json" 2>/dev/null)"
say venv_link "$(readlink "$root/venv" 2>/dev/null)"
say venv_whole "$([ -e "$root/venv/.complete" ] && echo yes)"
say service_user "$(getent passwd edge-vc >/dev/null 2>&1 && echo yes)"
say unit "$(sha256sum 2>/dev/null </etc/systemd/system/edge-vc.service | cut -c1-64)"
say active "$(systemctl is-active edge-vc 2>/dev/null)"
for folder in /etc/edge-vc "$HOME/.config/edge-vc"; do
  [ -e "$folder/allowed_signers" ] || continue
  say signers "$folder"
  [ -n "$key" ] && grep -qF -- "$key" "$folder/allowed_signers" 2>/dev/null && say trusted "$folder"
done
while read -r sum name; do
  [ -f "$root/wheels/$name" ] && say wheel "$sum $name"
done 2>/dev/null <"$root/wheels/hashes"
say done yes
