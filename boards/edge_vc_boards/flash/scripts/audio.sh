# OVERLAYS RULES [SYSTEM]: lines for config.txt and udev that set up sound; empty removes them.
# Prints "changed" or "unchanged", and "restart" if the board has to be rebooted.
set -eu
umask 022
overlays=$1 rules=$2
begin='# edge-vc audio: begin (edge-vc flash --configure-audio; --uninstall removes it)'
end='# edge-vc audio: end'
config=/boot/firmware/config.txt
[ -e "$config" ] || config=/boot/config.txt
udev=/etc/udev/rules.d/60-edge-vc-audio.rules
if [ -n "${3:-}" ]; then config=$3/boot/firmware/config.txt udev=$3$udev; fi
backup=$config.before-edge-vc
part=$config.edge-vc-part
said=unchanged
trap 'rm -f "$part" "$part-2" "$udev.part"' EXIT

if [ -n "$overlays" ]; then
  if [ ! -e "$config" ]; then
    echo "has no /boot/firmware/config.txt: overlays are for a Raspberry Pi" >&2
    exit 2
  fi
  folder=$(dirname "$config")/overlays
  for name in $(printf '%s\n' "$overlays" | cut -d, -f1); do
    if [ ! -e "$folder/$name.dtbo" ]; then
      echo "has no overlay $name: ls $folder lists those that are there" >&2
      exit 2
    fi
  done
fi

# The file without Edge VC's additions; a block without its end is not touched.
without() {
  awk -v begin="$begin" -v end="$end" '
    $0 == begin { held = $0; inside = 1; next }
    inside { held = held "\n" $0; if ($0 == end) inside = 0; next }
    { print }
    END { if (inside) print held }' "$1"
}
put() {
  sync "$part" 2>/dev/null || sync
  mv -f "$part" "$config"
  sync
  said=changed restart=restart
}

restart=
if [ -e "$config" ]; then
  without "$config" >"$part"
  if [ -n "$overlays" ]; then
    {
      echo "$begin"
      echo '[all]'
      echo 'dtparam=i2s=on'
      printf '%s\n' "$overlays" | sed 's/^/dtoverlay=/'
      echo "$end"
    } >>"$part"
    if ! cmp -s "$part" "$config"; then
      if [ ! -e "$backup" ]; then
        cp "$config" "$part-2"
        sync
        mv -f "$part-2" "$backup"
      fi
      put
    fi
  elif grep -qxF "$begin" "$config"; then
    # The original bytes, unless somebody has changed the file since.
    if [ -e "$backup" ]; then
      without "$backup" >"$part-2"
      if cmp -s "$part" "$part-2"; then cp "$backup" "$part"; fi
    fi
    put
    rm -f "$backup"
  fi
fi

if [ -n "$rules" ]; then
  mkdir -p "${udev%/*}"
  printf '%s\n' '# edge-vc flash --configure-audio; --uninstall removes it' "$rules" >"$udev.part"
  if ! cmp -s "$udev.part" "$udev"; then
    mv -f "$udev.part" "$udev"
    said=changed reload=yes
  fi
elif [ -e "$udev" ]; then
  rm -f "$udev"
  said=changed reload=yes
fi
if [ -n "${reload:-}" ]; then
  udevadm control --reload 2>/dev/null || :
  udevadm trigger --action=add --subsystem-match=sound 2>/dev/null || :
fi
echo "$said"
[ -z "$restart" ] || echo restart
