// The two numbers in the header of an SQLite file that tell whose it is.
#pragma once

namespace mirror::storage {

struct FileFormat {
    int application_id = 0;  ///< PRAGMA application_id of each of our files
    int newest_version = 0;  ///< the greatest PRAGMA user_version that this program knows; from 1
};

}  // namespace mirror::storage
