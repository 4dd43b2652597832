# For the checks in Python: source it with $here and $root set.

# Creates the virtual environment of a requirements file and prints its bin directory. The name contains a checksum of the file, so
# changed requirements create a new environment.
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
