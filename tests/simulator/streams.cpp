#include "tests/simulator/streams.hpp"

#include <algorithm>

namespace simulator {
namespace {

using enum FieldForm;

constexpr Field field(std::string_view name, FieldForm form, Member member) {
    return {name, form, member, name};
}

constexpr Field the_id{"ID", id, {}, "id"};
constexpr Field the_time = field("timestamp", timestamp, {});
constexpr Field mailing = field("mailing", quoted, &Row::mailing);
constexpr Field ip = field("ip", text, &Row::ip);
constexpr Field useragent = field("useragent", text, &Row::useragent);
constexpr Field destination = field("destination", quoted, &Row::destination);
constexpr Field profile = field("profile", number, &Row::profile);
constexpr Field subprofile = field("subprofile", number, &Row::subprofile);

constexpr std::array impressions{the_id,      mailing,   the_time,
                                 ip,          useragent, field("device", text, &Row::device),
                                 destination, profile,   subprofile};

constexpr std::array clicks{the_id,      mailing, field("link", text, &Row::link),
                            the_time,    ip,      useragent,
                            destination, profile, subprofile};

constexpr std::array deliveries{
    the_id,      mailing, the_time,  field("attempts", number, &Row::attempts),
    destination, profile, subprofile};

constexpr std::array errors{the_id,
                            mailing,
                            the_time,
                            field("status", loose, &Row::status),
                            field("errorcode", loose, &Row::errorcode),
                            field("description", text, &Row::description),
                            field("errortype", loose, &Row::errortype),
                            destination,
                            profile,
                            subprofile};

constexpr std::array abuses{the_id,      mailing, the_time,  field("report", json, &Row::report),
                            destination, profile, subprofile};

constexpr std::array unsubscribes{
    the_id,  mailing,   the_time, destination, field("source", text, &Row::source),
    profile, subprofile};

constexpr std::array mailings{Field{"id", id, {}, "id"},
                              the_time,
                              field("template", quoted, &Row::template_id),
                              field("subject", text, &Row::subject),
                              Field{"name", text, &Row::from_name, "from_name", "from_address"},
                              Field{"email", text, &Row::from_email, "from_email", "from_address"},
                              field("destinations", number, &Row::destinations),
                              field("type", text, &Row::type),
                              field("target", json, &Row::target)};

using Facts = StreamFacts;
constexpr std::array<StreamFacts, stream_count> table{
    Facts{StreamId::impressions, "impressions", "impressions", "begintime", "endtime", impressions},
    Facts{StreamId::clicks, "clicks", "clicks", "begintime", "endtime", clicks},
    Facts{StreamId::deliveries, "deliveries", "deliveries", "begintime", "endtime", deliveries},
    Facts{StreamId::errors, "errors", "errors", "begintime", "endtime", errors},
    Facts{StreamId::abuses, "abuses", "abuses", "begintime", "endtime", abuses},
    Facts{StreamId::unsubscribes, "unsubscribes", "unsubscribes", "begintime", "endtime",
          unsubscribes},
    Facts{StreamId::mailings, "mailings", "emailings", "fromdate", "todate", mailings},
};

constexpr bool fits(const StreamFacts& facts) {
    return facts.fields.size() <= most_fields + 2 && table[index_of(facts.id)].name == facts.name;
}
static_assert(std::all_of(table.begin(), table.end(), fits));

}  // namespace

const StreamFacts& facts_of(StreamId stream) {
    return table[index_of(stream)];
}

std::optional<StreamId> stream_named(std::string_view name) {
    const auto found = std::find_if(table.begin(), table.end(),
                                    [&](const StreamFacts& facts) { return facts.name == name; });
    return found == table.end() ? std::nullopt : std::optional(found->id);
}

std::vector<std::string> columns_of(StreamId stream) {
    std::vector<std::string> columns;
    for (const Field& one : facts_of(stream).fields) {
        columns.emplace_back(one.column);
    }
    return columns;
}

}  // namespace simulator
