// What opened a mailing, judged by the program that the API names: a person's, or a machine's.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/record/row.hpp"

namespace mirror {

/// The kinds of opens: person, privacy, prefetch, proxy, scanner.
const std::vector<std::string>& open_kinds();

/// How a pattern is compared, byte by byte: exact, prefix, suffix, contains.
const std::vector<std::string>& match_forms();

/// What it is compared with: useragent, device.
const std::vector<std::string>& agent_fields();

/// Says of which kind the opens of some programs are.
struct OpenRule {
    std::string name;
    std::string kind;   ///< one of open_kinds()
    std::string field;  ///< one of agent_fields()
    std::string form;   ///< one of match_forms()
    std::string pattern;
    std::string valid_from;  ///< account-local day, "YYYY-MM-DD"; empty: always
    std::string valid_to;    ///< the first day on which it does not hold any more; empty: none
    std::string source;      ///< who says so, for people
    bool enabled = true;
    friend bool operator==(const OpenRule&, const OpenRule&) = default;
};

/// Of which kind the opens of one program are from `from` to before `to`. Both sort with days and
/// with timestamps, as text.
struct OpenVerdict {
    std::string kind;
    std::string from;
    std::string to;
    std::optional<std::string> rule;  ///< nothing: no rule holds, so it is taken for a person
    friend bool operator==(const OpenVerdict&, const OpenVerdict&) = default;
};

inline constexpr std::string_view first_day = "0000-01-01";
inline constexpr std::string_view after_last_day = "9999-12-32";

/// The verdicts on a user agent and its device: ascending, disjoint, and without a gap. The first
/// rule that holds is the one that counts. Nothing is known of a program without a name, unless a
/// rule holds.
std::vector<OpenVerdict> judge_opens(const std::vector<OpenRule>& rules, const Entry& agent);

}  // namespace mirror
