#include "storage/kept_data.hpp"

#include <algorithm>
#include <string>

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <fmt/format.h>

#include "storage/errors.hpp"
#include "storage/metadata.hpp"
#include "storage/seconds.hpp"

namespace mirror::storage {
namespace {

Privacy read_privacy(const Facts& facts, const char* ip, const char* useragent) {
    return {addresses_named(facts.get(ip).value_or("")),
            user_agents_named(facts.get(useragent).value_or(""))};
}

void write_privacy(Facts& facts, const char* ip, const char* useragent, const Privacy& privacy) {
    facts.set(ip, name_of(privacy.ip));
    facts.set(useragent, name_of(privacy.useragent));
}

std::string text_of(const Privacy& privacy) {
    return fmt::format("ip = \"{}\" and useragent = \"{}\"", name_of(privacy.ip),
                       name_of(privacy.useragent));
}

bool holds_records(SQLite::Database& sql) {
    const auto any = [&sql](const std::string& table) {
        return sql.execAndGet("SELECT EXISTS (SELECT 1 FROM " + table + ")").getInt() != 0;
    };
    const auto all = streams();
    return any("rejects") || std::any_of(all.begin(), all.end(), [&](const Stream& stream) {
               return any(std::string(stream.table));
           });
}

}  // namespace

KeptData kept_data(SQLite::Database& sql) {
    const Facts facts(sql);
    KeptData kept;
    kept.privacy = read_privacy(facts, fact_key::privacy_ip, fact_key::privacy_useragent);
    kept.narrowest = narrower(
        kept.privacy, read_privacy(facts, fact_key::narrowest_ip, fact_key::narrowest_useragent));
    if (facts.get(fact_key::privacy_since)) {
        kept.since = Instant(Seconds(facts.number(fact_key::privacy_since)));
    }
    return kept;
}

void match_privacy(SQLite::Database& sql, const std::filesystem::path& file, const Privacy& wanted,
                   bool may_change, Instant now) {
    KeptData kept = kept_data(sql);
    if (kept.privacy == wanted) {
        return;
    }
    const bool any = holds_records(sql);
    if (any && !may_change) {
        throw OtherPrivacy(fmt::format(
            "database {}: a `run` at work on it was started with {} in [privacy], but this command "
            "with {}; give both the same configuration, and restart `run`",
            file.string(), text_of(kept.privacy), text_of(wanted)));
    }
    Facts facts(sql);
    const bool less = narrower(kept.privacy, wanted) != kept.privacy;
    for (const Stream& stream : streams()) {
        if (any && less) {
            set_rewrite_state(sql, stream, RewriteState{});
        } else if (!wanted.cuts()) {
            set_rewrite_state(sql, stream, std::nullopt);
        }
    }
    kept.narrowest = any ? narrower(kept.narrowest, wanted) : wanted;
    write_privacy(facts, fact_key::privacy_ip, fact_key::privacy_useragent, wanted);
    write_privacy(facts, fact_key::narrowest_ip, fact_key::narrowest_useragent, kept.narrowest);
    facts.set(fact_key::privacy_since, seconds(now));
}

void refuse_other_privacy(SQLite::Database& sql, const std::filesystem::path& file,
                          const Privacy& expected) {
    const Facts facts(sql);
    const Privacy kept = read_privacy(facts, fact_key::privacy_ip, fact_key::privacy_useragent);
    if (kept != expected) {
        throw OtherPrivacy(fmt::format(
            "database {}: another process has made it keep {}, but this one was started with {} in "
            "[privacy]; nothing is stored so; give all the same configuration, and start it again",
            file.string(), text_of(kept), text_of(expected)));
    }
}

std::optional<RewriteState> rewrite_state(SQLite::Database& sql, const Stream& stream) {
    const Facts facts(sql, stream);
    if (facts.get(fact_key::rewritten_to).value_or("").empty()) {
        return std::nullopt;
    }
    return RewriteState{facts.number(fact_key::rewritten_to),
                        static_cast<std::uint64_t>(facts.number(fact_key::rewritten_rows))};
}

void set_rewrite_state(SQLite::Database& sql, const Stream& stream,
                       const std::optional<RewriteState>& state) {
    Facts facts(sql, stream);
    if (state) {
        facts.set(fact_key::rewritten_to, state->reached);
        facts.set(fact_key::rewritten_rows, static_cast<std::int64_t>(state->rows));
    } else if (rewrite_state(sql, stream)) {
        facts.set(fact_key::rewritten_to, std::string());
    }
}

bool is_rewriting(SQLite::Database& sql) {
    SQLite::Statement any(sql, "SELECT 1 FROM mirror WHERE key = ? AND value <> '' LIMIT 1");
    any.bind(1, fact_key::rewritten_to);
    return any.executeStep();
}

}  // namespace mirror::storage
