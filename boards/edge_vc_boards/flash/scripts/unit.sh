# Writes stdin as the service's unit and has systemd start it at every boot. The previous unit is kept
# beside it until the release that comes with the new one has passed its health check.
set -eu
umask 022
unit=/etc/systemd/system/edge-vc.service
part=$unit.part-$$
trap 'rm -f "$part" "$part-before"' EXIT
cat >"$part"
if [ -e "$unit" ] && [ ! -e "$unit.before" ]; then
  cp "$unit" "$part-before"
  sync
  mv -f "$part-before" "$unit.before"
fi
sync
mv -f "$part" "$unit"
systemctl daemon-reload
systemctl --quiet enable edge-vc
