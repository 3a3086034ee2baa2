#include "core/record/open_rules.hpp"

#include <algorithm>
#include <set>

namespace mirror {
namespace {

bool matches(const OpenRule& rule, std::string_view text) {
    if (rule.form == "exact") {
        return text == rule.pattern;
    }
    if (rule.form == "prefix") {
        return text.starts_with(rule.pattern);
    }
    if (rule.form == "suffix") {
        return text.ends_with(rule.pattern);
    }
    return rule.form == "contains" && text.find(rule.pattern) != std::string_view::npos;
}

bool matches(const OpenRule& rule, const Entry& agent) {
    const auto& text = rule.field == "device" ? agent.second : agent.first;
    return rule.enabled && text && matches(rule, *text);
}

std::string_view begin_of(const OpenRule& rule) {
    return rule.valid_from.empty() ? first_day : std::string_view(rule.valid_from);
}

std::string_view end_of(const OpenRule& rule) {
    return rule.valid_to.empty() ? after_last_day : std::string_view(rule.valid_to);
}

}  // namespace

const std::vector<std::string>& open_kinds() {
    static const std::vector<std::string> all{"person", "privacy", "prefetch", "proxy", "scanner"};
    return all;
}

const std::vector<std::string>& match_forms() {
    static const std::vector<std::string> all{"exact", "prefix", "suffix", "contains"};
    return all;
}

const std::vector<std::string>& agent_fields() {
    static const std::vector<std::string> all{"useragent", "device"};
    return all;
}

std::vector<OpenVerdict> judge_opens(const std::vector<OpenRule>& rules, const Entry& agent) {
    std::vector<const OpenRule*> matching;
    std::set<std::string_view> bounds{first_day, after_last_day};
    for (const OpenRule& rule : rules) {
        if (matches(rule, agent)) {
            matching.push_back(&rule);
            bounds.insert(begin_of(rule));
            bounds.insert(end_of(rule));
        }
    }
    const bool named = agent.first && !agent.first->empty();
    std::vector<OpenVerdict> verdicts;
    // Between two bounds, the same rules hold.
    for (auto begin = bounds.begin(), end = std::next(begin); end != bounds.end(); begin = end++) {
        const auto holding =
            std::find_if(matching.begin(), matching.end(), [&](const OpenRule* rule) {
                return begin_of(*rule) <= *begin && *end <= end_of(*rule);
            });
        OpenVerdict verdict{"person", std::string(*begin), std::string(*end), std::nullopt};
        if (holding != matching.end()) {
            verdict.kind = (*holding)->kind;
            verdict.rule = (*holding)->name;
        } else if (!named) {
            continue;
        }
        if (!verdicts.empty() && verdicts.back().rule == verdict.rule &&
            verdicts.back().to == verdict.from) {
            verdicts.back().to = verdict.to;
        } else {
            verdicts.push_back(std::move(verdict));
        }
    }
    return verdicts;
}

}  // namespace mirror
