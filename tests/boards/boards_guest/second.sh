# Runs in the emulated machine: speaks into one end of the loopback, records at the other.
boot=/boot/firmware
for second in $(seq 300); do
  ! systemctl is-active --quiet edge-vc || break
  sleep 1
done
# Behind the network, for whose cards systemd waits a minute and a half where there are none.
for second in $(seq 200); do
  ! systemctl is-active --quiet ssh || break
  sleep 1
done
sleep 5
arecord -q -D plughw:Loopback,0 -f S16_LE -r 16000 -c 1 -d SECONDS /root/heard.wav &
aplay -q -D plughw:Loopback,0 $boot/speech.wav
wait
cp /root/heard.wav $boot/heard.wav
{
  systemctl show edge-vc -p ActiveState -p SubState -p NRestarts -p UnitFileState
  echo "first boot: $(systemctl is-enabled edge-vc-first-boot) $(systemctl is-active edge-vc-first-boot)"
  echo "ssh: $(systemctl is-enabled ssh) $(systemctl is-active ssh)"
  echo "keys of ann: $(grep -c ssh-ed25519 /home/ann/.ssh/authorized_keys)"
  cat /etc/hostname
} >$boot/facts.txt 2>&1
once >$boot/once.txt 2>&1
journalctl -b --no-pager -o short-monotonic >$boot/journal.txt 2>&1
sync
systemctl poweroff
