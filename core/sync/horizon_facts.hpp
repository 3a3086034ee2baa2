// The horizon as facts of the table `mirror`.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "core/plan/horizon.hpp"
#include "core/sync/metadata.hpp"

namespace mirror::sync {

/// The keys that read_horizon() asks for.
inline constexpr const char* horizon_keys[] = {metadata::horizon, metadata::horizon_age,
                                               metadata::horizon_pending,
                                               metadata::horizon_pending_at};

/// `fact` returns a fact by its key.
plan::Horizon read_horizon(const std::function<std::optional<std::string>(const char*)>& fact);

/// All of them; an empty text if nothing is known.
std::map<std::string, std::string> horizon_facts(const plan::Horizon& horizon);

}  // namespace mirror::sync
