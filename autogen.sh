#!/bin/sh
# autogen.sh: makes ./configure from a checkout.
cd "$(dirname "$0")" && exec autoreconf --install --force --warnings=all
