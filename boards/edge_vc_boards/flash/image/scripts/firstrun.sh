# The part of firstrun.sh that is the same on every card; the values precede it. Each step may fail
# independently of the others: a card with a user but no Wi-Fi can still be reached by cable.
system=${EDGE_VC_SYSTEM_ROOT:-}
boot=$(cd "$(dirname "$0")" && pwd)
log=$boot/edge-vc-first-boot.log
exec >>"$log" 2>&1
echo "firstrun.sh: begin"

set_hostname() {
  [ -n "$hostname" ] || return 0
  old=$(cat "$system/etc/hostname")
  printf '%s\n' "$hostname" >"$system/etc/hostname"
  if grep -q '^127\.0\.1\.1' "$system/etc/hosts"; then
    sed -i "s/^127\.0\.1\.1.*/127.0.1.1\t$hostname/" "$system/etc/hosts"
  else
    printf '127.0.1.1\t%s\n' "$hostname" >>"$system/etc/hosts"
  fi
  echo "host: $old is now $hostname"
}

set_user() {
  # userconf renames the account 1000, sets its password and disables the wizard.
  first=$(getent passwd 1000 | cut -d: -f1)
  "$system/usr/lib/userconf-pi/userconf" "$user" "${password_hash:-*}" || return 1
  echo "user: ${first:-none} is now $user"
}

set_keys() {
  [ -n "$ssh_keys" ] || return 0
  home=$(getent passwd "$user" | cut -d: -f6)
  install -d -m 700 "$system$home/.ssh"
  printf '%s\n' "$ssh_keys" >"$system$home/.ssh/authorized_keys"
  chmod 600 "$system$home/.ssh/authorized_keys"
  chown -R "$user:" "$system$home/.ssh"
  mkdir -p "$system/etc/ssh/sshd_config.d"
  echo 'PasswordAuthentication no' >"$system/etc/ssh/sshd_config.d/edge-vc.conf"
  if [ -z "$password_hash" ]; then
    echo "$user ALL=(ALL) NOPASSWD: ALL" >"$system/etc/sudoers.d/010_edge-vc-user"
    chmod 440 "$system/etc/sudoers.d/010_edge-vc-user"
  fi
}

set_wifi() {
  [ -n "$wifi" ] || return 0
  folder=$system/etc/NetworkManager/system-connections
  mkdir -p "$folder"
  (umask 077 && printf '%s\n' "$wifi" >"$folder/edge-vc.nmconnection")
  rfkill unblock wifi || :
  for state in "$system"/var/lib/systemd/rfkill/*:wlan; do
    [ ! -e "$state" ] || echo 0 >"$state"
  done
}

set_language() {
  if [ -n "$timezone" ] && [ -e "$system/usr/share/zoneinfo/$timezone" ]; then
    ln -sf "/usr/share/zoneinfo/$timezone" "$system/etc/localtime"
    printf '%s\n' "$timezone" >"$system/etc/timezone"
  fi
  if [ -n "$keyboard" ] && [ -e "$system/etc/default/keyboard" ]; then
    sed -i "s/^XKBLAYOUT=.*/XKBLAYOUT=\"$keyboard\"/" "$system/etc/default/keyboard"
  fi
  if [ -n "$locale" ]; then
    sed -i "s/^# *\($locale UTF-8\)/\1/" "$system/etc/locale.gen"
    locale-gen && printf 'LANG=%s\n' "$locale" >"$system/etc/default/locale"
  fi
}

for step in set_hostname set_user set_keys set_wifi set_language; do
  "$step" || echo "firstrun.sh: $step FAILED"
done
systemctl enable ssh || echo "firstrun.sh: ssh FAILED"
sh "$boot/edge-vc-first-boot.sh" enable || echo "firstrun.sh: the first-boot service FAILED"
sed -i 's| systemd\.run=[^ ]*||; s| systemd\.run_success_action=[^ ]*||; s| systemd\.unit=[^ ]*||' \
  "$boot/cmdline.txt"
rm -f "$boot/firstrun.sh"
echo "firstrun.sh: end"
sync
exit 0
