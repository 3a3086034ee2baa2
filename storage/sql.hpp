// The SQL files of this folder, as the build embeds them.
#pragma once

namespace mirror::storage::sql {

extern const char* const schema;  ///< schema.sql: tables and their indexes
extern const char* const views;   ///< views.sql

}  // namespace mirror::storage::sql
