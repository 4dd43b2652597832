# For the checks in Python, to be sourced with $here and $root set.

# The environment of one requirements file, named after its contents: a changed pin makes a new one.
#
#   environment NAME REQUIREMENTS
environment() {
    venv=$root/target/tools/$1-$(cksum <"$here/$2" | cut -d ' ' -f 1)
    if [ ! -e "$venv/complete" ]; then
        rm -rf "$venv"
        { python3 -m venv "$venv" && "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/$2" \
            && touch "$venv/complete"; } >&2 || return 1
    fi
    echo "$venv/bin"
}
