"""Commands of a fake board, as shell scripts by name, with placeholders ``{...}``."""

from __future__ import annotations

TOOLS = {
    "uname": 'case "$1" in -m) echo {arch} ;; *) exec /usr/bin/uname "$@" ;; esac',
    "getconf": 'case "$1" in LONG_BIT) echo {bits} ;; GNU_LIBC_VERSION) echo glibc {glibc} ;; esac',
    "date": 'case "$1" in +%s) echo {clock} ;; *) exec /bin/date "$@" ;; esac',
    "id": 'case "$1" in -u) echo {uid} ;; -un) echo {user} ;; esac',
    "df": "echo Filesystem 1024-blocks Used Available\necho fake 99 9 {free_kb}",
    "nvpmodel": "echo {power}",
    "vcgencmd": "echo throttled={throttled}",
    "sudo": '[ "$1" = -n ] && shift\n[ {sudo} = yes ] || {{ echo "sudo: a password is required" '
    '>&2; exit 1; }}\nexec "$@"',
    "python3": """case "$*" in
*version_info*) echo {python} ;;
*ensurepip*) [ {venv} = yes ] && echo yes ;;
"-m venv "*)
  mkdir -p "$3/bin"
  cp {folder}/bin/venv-python "$3/bin/python"
  cp {folder}/bin/venv-edge-vc-rt "$3/bin/edge-vc-rt"
  ;;
*) exec {host_python} "$@" ;;
esac""",
    "venv-python": """case "$*" in
"-m pip "*) exit {pip_code} ;;
*) PYTHONPATH={packages} exec {host_python} "$@" ;;
esac""",
    "venv-edge-vc-rt": 'PYTHONPATH={packages} exec {host_python} -m edge_vc_runtime "$@"',
    "systemctl": """echo "$*" >>{folder}/systemctl.log
case "$*" in
*is-active*)
  state=$(cat {folder}/service 2>/dev/null || echo inactive)
  case "$*" in *--quiet*) ;; *) echo "$state" ;; esac
  [ "$state" = active ]
  ;;
*show*NRestarts*) echo 0 ;;
*start*)
  if [ -e {folder}/service-fails ]; then echo failed; else echo active; fi >{folder}/service
  ;;
*stop*|*disable*) echo inactive >{folder}/service ;;
esac""",
    "getent": 'grep "^$2:" {folder}/etc/"$1"',
    "useradd": """while [ $# -gt 1 ]; do [ "$1" != --comment ] || comment=$2; shift; done
echo "$1:x:999:999:$comment:/var/lib/$1:/usr/sbin/nologin" >>{folder}/etc/passwd""",
    "userdel": 'sed -i "/^$1:/d" {folder}/etc/passwd',
    "udevadm": 'echo "$*" >>{folder}/udevadm.log',
    "journalctl": "echo the sound card is missing",
    "sleep": "exit 0",
}
