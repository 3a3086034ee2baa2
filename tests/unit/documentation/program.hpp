// What users meet of the program, as it is.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>

#include "tests/unit/documentation/documents.hpp"

namespace mirror::test {

/// What the program prints if it is given these arguments, of which one asks for help.
std::string help(const std::vector<std::string>& arguments);

/// As its help lists them.
Names commands_of_the_program();

/// The long and short options that a help text lists, a line each.
Names options_in(const std::string& help_text);

/// A database as the program creates it, in memory.
SQLite::Database new_database();

/// The tables and views, each with its columns. A view has " (view)" behind its name.
std::map<std::string, Names> columns_of_the_file();

}  // namespace mirror::test
