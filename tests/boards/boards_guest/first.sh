# Runs in the emulated machine: waits for the installation, then switches off.
boot=/boot/firmware
# Waiting costs an emulated machine little; a system that was not customised waits in vain.
for second in $(seq 900); do
  if [ -s $boot/edge-vc-first-boot.status ]; then
    ! grep -q '^failed' $boot/edge-vc-first-boot.status || break
    ! systemctl is-active --quiet edge-vc || break
  fi
  sleep 1
done
sleep 5
{
  systemctl show edge-vc -p ActiveState -p SubState -p NRestarts -p UnitFileState -p User
  cat /etc/hostname
  id ann
  echo "keys of ann: $(grep -c ssh-ed25519 /home/ann/.ssh/authorized_keys), $(stat -c '%U %a' \
    /home/ann/.ssh /home/ann/.ssh/authorized_keys | tr '\n' ' ')"
  echo "ssh: $(systemctl is-enabled ssh) $(systemctl is-active ssh)"
  echo "network: $(grep -rl NETWORK_KEY /etc/NetworkManager /etc/netplan 2>/dev/null)"
  [ ! -d /etc/netplan ] || ! netplan generate || echo "netplan takes it"
  find / -xdev -name 'libnss_systemd*'
  /opt/edge-vc/venv/bin/edge-vc-rt installed
} >$boot/facts.txt 2>&1
once >$boot/once.txt 2>&1
journalctl -b --no-pager -o short-monotonic >$boot/journal.txt 2>&1
cp /var/log/cloud-init.log /var/log/cloud-init-output.log $boot 2>/dev/null
cp /var/lib/rpi-preseed/log/* /var/lib/rpi-preseed/report.json $boot 2>/dev/null
sync
systemctl poweroff
