# make:   creates the account edge-vc, in which the service runs, unless one of that name exists.
# remove: removes it with its state if "make" created it, which its comment shows.
# ssh-keygen verifies no signatures for a user without a name, as a unit's DynamicUser is if
# libnss-systemd is missing, e.g. on Raspberry Pi OS.
set -eu
PATH=$PATH:/usr/sbin:/sbin
name=edge-vc comment='Edge VC service'
case $1 in
make)
  ! getent passwd "$name" >/dev/null || exit 0
  if getent group "$name" >/dev/null; then group="--gid $name"; else group=--user-group; fi
  useradd --system $group --groups audio --home-dir /var/lib/edge-vc --no-create-home \
    --shell /usr/sbin/nologin --comment "$comment" "$name" ||
    getent passwd "$name" >/dev/null  # another flash was faster
  ;;
remove)
  [ "$(getent passwd "$name" | cut -d: -f5)" = "$comment" ] || exit 0
  rm -rf /var/lib/edge-vc /var/lib/private/edge-vc
  userdel "$name" || echo "the account $name is in use and stays: sudo userdel $name"
  ;;
esac
