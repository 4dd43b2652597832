#!/bin/sh
# Installs Debian's Chromium, its headless shell and Firefox, where one of them is missing.
browsers="chromium chromium-headless-shell firefox-esr"
dpkg -s $browsers >/dev/null 2>&1 || { apt-get update -qq && apt-get install -y -qq $browsers >/dev/null; }
