// The target of a request: path and query.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/copernica/api.hpp"
#include "core/util/secret.hpp"

namespace mirror::copernica {

/// Everything but letters, digits and "-._~" becomes %XX.
std::string percent_encode(std::string_view text);

/// "begintime=…&endtime=…&start=…&limit=…&total=…", or as the stream calls its period; without the
/// token: fit for a log.
std::string page_parameters(const Stream& stream, const PageQuery& query);

/// "ms/emailing/ID/statistics", below the API's URL.
std::string statistics_path(PathFamily family, std::int64_t mailing);

/// "begintime=…&endtime=…", fit for a log.
std::string statistics_parameters(const StatisticsQuery& query);

/// "begin=YYYY-MM-DD&end=YYYY-MM-DD".
std::string consumption_query(LocalTime first, LocalTime last);

/// "path?access_token=…&query": a secret, for the wire only. Of `query`, which may be empty, any
/// access_token is left out: it cannot be ours.
std::string target_with_token(std::string_view path, std::string_view query, const Secret& token);

/// "path?query", fit for a log: here, too, any access_token of `query` is left out.
std::string target_without_token(std::string_view path, std::string_view query);

}  // namespace mirror::copernica
