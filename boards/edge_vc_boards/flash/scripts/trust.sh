# Adds LINE to FOLDER/allowed_signers; TIME, in s since 1970, is the host's: a board's may be wrong.
set -eu
umask 022
folder=$1 line=$2 time=$3
mkdir -p "$folder"
list=$folder/allowed_signers
part=$folder/.part-$$-signers
# Concurrent flashes take turns to extend the list.
if command -v flock >/dev/null; then exec 9<"$folder"; flock -w 60 9 || :; fi
if ! grep -qxF -- "$line" "$list" 2>/dev/null; then
  { cat "$list" 2>/dev/null || :; printf '%s\n' "$line"; } >"$part"
  touch -d "@$time" "$part"
  sync
  mv -f "$part" "$list"
fi
