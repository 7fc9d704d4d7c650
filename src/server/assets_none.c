/* SPDX-License-Identifier: MIT
 *
 * server/assets_none.c: the table of a build without the user interface. */
#include "server/assets.h"

const struct asset server_assets[1];
const size_t server_asset_count = 0;
