// The SQL files of this folder, as the build embeds them.
#pragma once

namespace mirror::storage::sql {

extern const char* const schema;       ///< schema.sql: tables that all streams share, with indexes
extern const char* const migration_3;  ///< migration_3.sql
extern const char* const version_2_as_3;  ///< version_2_as_3.sql
extern const char* const views;           ///< views.sql

}  // namespace mirror::storage::sql
