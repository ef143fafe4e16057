# Adds LINE to FOLDER/allowed_signers; TIME, in s since 1970, is the host's: a board's may be wrong.
set -eu
umask 022
folder=$1 line=$2 time=$3
mkdir -p "$folder"
list=$folder/allowed_signers
if ! grep -qxF -- "$line" "$list" 2>/dev/null; then
  { cat "$list" 2>/dev/null || :; printf '%s\n' "$line"; } >"$folder/.part-signers"
  touch -d "@$time" "$folder/.part-signers"
  sync
  mv -f "$folder/.part-signers" "$list"
fi
