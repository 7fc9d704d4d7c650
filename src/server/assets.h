/* SPDX-License-Identifier: MIT
 *
 * server/assets.h: the user interface, compressed, inside the binary.
 *
 * The table is made at build time from ui/; without the interface it is empty.
 * The page itself is the asset "/index.html". */
#ifndef SERVER_ASSETS_H
#define SERVER_ASSETS_H

#include "base/base.h"

struct asset {
    const char *path; /* as in the address: "/assets/app-3f2c.js" */
    const char *type; /* Content-Type */
    const char *etag; /* with its quotes */
    const unsigned char *gz;
    size_t gz_len;
    bool immutable; /* its name changes with its contents: may be kept for ever */
};

extern const struct asset server_assets[];
extern const size_t server_asset_count;

#endif
