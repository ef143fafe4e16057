# Runs in the emulated machine: waits for the installation, then switches off.
boot=/boot/firmware
until [ -s $boot/edge-vc-first-boot.status ]; do sleep 1; done
until systemctl is-active --quiet edge-vc || grep -q '^failed' $boot/edge-vc-first-boot.status; do
  sleep 1
done
sleep 2
{
  systemctl show edge-vc -p ActiveState -p SubState -p NRestarts -p UnitFileState
  cat /etc/hostname
  id ann
  cat /home/ann/.ssh/authorized_keys
  systemctl is-enabled ssh
  /opt/edge-vc/venv/bin/edge-vc-rt installed
} >$boot/facts.txt 2>&1
journalctl -b --no-pager -o short-monotonic >$boot/journal.txt 2>&1
sync
systemctl poweroff
