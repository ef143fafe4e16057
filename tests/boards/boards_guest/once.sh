# Before the other scripts: what a first boot makes once, with when it was made.
once() {
  for file in /etc/machine-id /etc/ssh/ssh_host_*_key /home/ann/.ssh/authorized_keys \
    /opt/edge-vc/.first-boot /opt/edge-vc/venvs/*/.complete /opt/edge-vc/releases/* \
    /etc/systemd/system/edge-vc.service /var/lib/cloud/instance/sem/* \
    /var/lib/rpi-preseed/applied /var/lib/rpi-preseed/*-done; do
    [ ! -e "$file" ] || stat -c '%n %y' "$file"
  done
  sha256sum /etc/passwd /etc/shadow /etc/hostname
  [ ! -e /var/lib/cloud/data/instance-id ] || cat /var/lib/cloud/data/instance-id
}
