// The SQL of what each stream has of its own: its table with indexes, its dictionaries, its view;
// and of the views.
#pragma once

#include <string>
#include <vector>

#include "core/record/stream.hpp"

namespace mirror::storage {

/// Tables and indexes of all streams and their dictionaries, as far as they are not there.
std::string stream_tables_sql();

/// Everything that a file has to drop and to make again at a migration.
std::string drop_views_sql();
std::string views_sql();

/// Names of the views, and of the tables that the streams have.
std::vector<std::string> schema_names();

}  // namespace mirror::storage
