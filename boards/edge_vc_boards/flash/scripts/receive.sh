# Writes stdin to FOLDER/NAME if its SHA-256 is SUM; wheels are listed in FOLDER/hashes.
set -eu
umask 022
folder=$1 name=$2 sum=$3
part=$folder/.part-$$-$name
trap 'rm -f "$part"' EXIT
trap 'exit 129' HUP INT TERM
mkdir -p "$folder"
true 2>/dev/null >>"$part" || { mkdir -p "$folder"; true >>"$part"; }  # another flash may tidy up between the two
cat >"$part"
found=$(sha256sum <"$part" | cut -c1-64)
if [ "$found" != "$sum" ]; then
  echo "$name: arrived damaged" >&2
  exit 1
fi
sync "$part" 2>/dev/null || sync
mv -f "$part" "$folder/$name"
case $name in
*.whl)
  # Concurrent flashes take turns to extend the list.
  if command -v flock >/dev/null; then exec 9<"$folder"; flock -w 60 9 || :; fi
  touch "$folder/hashes"
  { grep -v " $name\$" "$folder/hashes" || :; echo "$sum $name"; } >"$folder/.part-$$-hashes"
  mv -f "$folder/.part-$$-hashes" "$folder/hashes"
  ;;
esac
