// Is this file ours? Asked before anything is written, or left beside it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "storage/sqlite/file_format.hpp"

namespace mirror::storage {

/// Makes sure that there is a file, and gives its path without links. A new one is empty and has
/// mode 0640 from its first moment. Throws DatabaseError.
std::filesystem::path ensure_file(const std::filesystem::path& file);

/// What stands in the way of a file that is to be created, as far as its path tells, and what to
/// do: "directory /data does not exist; create it (mkdir -p /data), or name another file".
std::optional<std::string> why_not_creatable(const std::filesystem::path& file);

/// The path without links. Throws DatabaseError (absent).
std::filesystem::path existing_file(const std::filesystem::path& file);

/// Reads the first 100 bytes and throws DatabaseError (foreign, newer) unless they are those of a
/// file of ours, or the file is empty, or was before a transaction that was cut short (the journal
/// beside it says so, and how to undo it). Takes no lock and writes nothing.
void refuse_unless_ours(const std::filesystem::path& file, const FileFormat& ours);

/// The same judgement on the two numbers, for when a log may hold newer ones than the file.
void refuse_unless_ours(const std::filesystem::path& file, const FileFormat& ours, int application,
                        int version);

}  // namespace mirror::storage
