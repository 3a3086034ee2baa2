# shellcheck shell=bash
# What the scripts share; they source it:
#
#     . "$root/packaging/lib.sh"
#
# It only defines functions and variables. Messages carry the name of the script that sources it.

program=${0##*/}

say_error() {
    echo "$program: $*" >&2
}

die() {
    say_error "$@"
    exit 1
}

# --- steps

# Where step leaves what commands print. A script that wants to keep it sets this beforehand; otherwise
# a directory is made when it is needed, and it stays only if a step failed.
log_directory=${log_directory:-}
log_is_temporary=false
step_failed=false
step_spinner=
# The log of the last step.
step_log=

on_terminal() {
    [[ -t 1 && ${TERM:-dumb} != dumb ]]
}

# progress_in LOG: how far the command is, if its output says so (ninja, apt-get); else nothing.
progress_in() {
    awk '
        /^\[[0-9]+\/[0-9]+\] / { text = substr($1, 2, length($1) - 2) }
        / newly installed, / { total = $1 + $3; got = 0; unpacked = 0; ready = 0 }
        /^Get:[0-9]+ / && total { text = "download " (++got) "/" total }
        /^Unpacking / && total { text = "unpack " (++unpacked) "/" total }
        /^Setting up / && total { text = "set up " (++ready) "/" total }
        END { printf "%s", text }' "$1" 2>/dev/null
}

# spin WHAT LOG: draws one line again and again until it is killed or the script is gone.
spin() {
    local what=$1 log=$2 begin=$SECONDS marks=$'|/-\\' turn=0 columns line progress
    while kill -0 "$$" 2>/dev/null; do
        progress=$(progress_in "$log")
        columns=$(stty size <&1 2>/dev/null) || columns='24 80'
        line="${marks:turn++ % 4:1} $what${progress:+, $progress}, $((SECONDS - begin)) s"
        printf '\r\033[K%s' "${line:0:$((${columns#* } > 10 ? ${columns#* } - 1 : 79))}"
        sleep 0.25
    done
}

# Takes the spinner away. For the EXIT trap, too: an interrupted step leaves it running.
stop_spinner() {
    if [[ -n $step_spinner ]]; then
        kill "$step_spinner" 2>/dev/null || true
        wait "$step_spinner" 2>/dev/null || true
        step_spinner=
        printf '\r\033[K'
    fi
}

# step WHAT COMMAND...: one line for WHAT, what COMMAND prints goes to a log. On a terminal a count
# and the time run along. If COMMAND fails: the last lines of the log, its name, and its status.
step() {
    local what=$1 status=0 begin=$SECONDS
    shift
    if [[ -z $log_directory ]]; then
        log_directory=$(mktemp -d "${TMPDIR:-/tmp}/copernica-mirror-logs.XXXXXX")
        log_is_temporary=true
    fi
    mkdir -p "$log_directory"
    step_log=$log_directory/${what//[^A-Za-z0-9.+]/-}.log
    : >"$step_log"
    if on_terminal; then
        spin "$what" "$step_log" &
        step_spinner=$!
    else
        printf '%s\n' "$what"
    fi
    "$@" >>"$step_log" 2>&1 </dev/null || status=$?
    stop_spinner
    if ((status != 0)); then
        step_failed=true
        tail -n 60 "$step_log" >&2
        say_error "$what: failed; the last lines are above, all of them in $step_log"
        return "$status"
    fi
    if on_terminal; then
        printf '%s (%d s)\n' "$what" $((SECONDS - begin))
    fi
}

# For the EXIT trap: removes the logs unless a step failed or the script named their place.
end_steps() {
    stop_spinner
    [[ -z $root_keeper ]] || kill "$root_keeper" 2>/dev/null || true
    if $log_is_temporary && ! $step_failed; then
        rm -rf "$log_directory"
    fi
}

# --- root

# get_root WHY: afterwards as_root works. Asks for the password once, on the terminal, if sudo wants one.
get_root() {
    [[ $(id -u) != 0 ]] || return 0
    command -v sudo >/dev/null || die "$1 needs root: run this as root, or install sudo"
    if ! sudo -n true 2>/dev/null && ! sudo -v; then
        die "$1 needs root, and sudo does not allow it"
    fi
}

# keep_root: sudo forgets a password after some minutes; this asks it not to, while the script runs.
root_keeper=
keep_root() {
    [[ $(id -u) != 0 ]] || return 0
    while kill -0 "$$" && sudo -n -v; do
        sleep 60
    done >/dev/null 2>&1 </dev/null &
    root_keeper=$!
}

# as_root COMMAND...: with a proxy of the environment, which sudo does not hand down.
as_root() {
    local proxies=() name
    if [[ $(id -u) == 0 ]]; then
        "$@"
        return
    fi
    for name in http_proxy https_proxy ftp_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
        [[ -z ${!name:-} ]] || proxies+=("$name=${!name}")
    done
    sudo env "${proxies[@]}" "$@"
}

# --- what is there

# version_at_least VERSION WANTED: by the upstream part of a package's version.
version_at_least() {
    local version=${1#*:}
    version=${version%-*}
    [[ -n $version && $(printf '%s\n' "$2" "$version" | sort -V | head -n 1) == "$2" ]]
}

# How many compilations fit at once: a file with TLS takes some 1.5 GB.
compile_jobs() {
    local processors memory_kb jobs
    processors=$(nproc)
    memory_kb=$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo)
    jobs=$((memory_kb / 1500000))
    ((jobs <= processors)) || jobs=$processors
    ((jobs >= 1)) || jobs=1
    echo "$jobs"
}

# configure DIRECTORY OPTION...: a build of this tree there; one that cannot be configured again, after
# another compiler has come, say, is made anew.
configure() {
    local directory=$1
    shift
    if [[ -f $directory/build.ninja ]] && meson setup --reconfigure "$directory" "$@"; then
        return 0
    fi
    rm -rf "$directory"
    meson setup "$directory" "$@"
}

# The C++ compiler of clang, the newest one if there is none without a number; false if there is none.
find_clang() {
    if command -v clang++ >/dev/null; then
        echo clang++
        return
    fi
    local found
    found=$(compgen -c clang++- | grep -E '^clang\+\+-[0-9]+$' | sort -V | tail -n 1)
    [[ -n $found ]] && echo "$found"
}

# list_tree ROOT: what belongs to the project in that directory, each name ended by a zero byte: what
# git knows or would add, as it is now; without git, all but what is built.
list_tree() (
    cd "$1" || exit 1
    if git -c safe.directory='*' rev-parse --is-inside-work-tree >/dev/null 2>&1; then
        git -c safe.directory='*' ls-files -z --cached --others --exclude-standard |
            while IFS= read -r -d '' file; do
                [[ ! -e $file && ! -L $file ]] || printf '%s\0' "$file"
            done
    else
        find . -mindepth 1 \( -path './build*' -o -path ./.git \) -prune -o ! -type d -print0
    fi
)

# The mirror of Debian that apt uses here, else the one for everybody.
debian_mirror() {
    local mirror=
    if command -v apt-get >/dev/null; then
        # The security archive has a label of its own. apt-get itself fills in these names.
        # shellcheck disable=SC2016
        mirror=$(apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
            sed -nE 's#^Debian\|Debian\|(https?:.*[^/])/*$#\1#p' | head -n 1) || true
    fi
    echo "${mirror:-http://deb.debian.org/debian}"
}

# The name of this system's release: bookworm, trixie …
this_suite() {
    # shellcheck source=/dev/null
    (. /etc/os-release 2>/dev/null && echo "${VERSION_CODENAME:-}")
}

# Where packaging/system-root keeps its Debians, apart from the tree and from what is built in it.
default_roots() {
    echo "${COPERNICA_MIRROR_ROOTS:-${XDG_CACHE_HOME:-$HOME/.cache}/copernica-mirror/roots}"
}
