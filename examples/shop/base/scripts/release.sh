#!/usr/bin/env bash
# Build the storefront and put it where the web server looks for it.
set -euo pipefail
cd "$(dirname "$0")/.."

npm --prefix web ci
npm --prefix web run build
rsync --archive --delete web/dist/ "${SHOP_WWW:?where to}"
