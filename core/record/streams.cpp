// The streams that the API has. To add one, add an entry here and its columns to
// docs/file.md.
#include <algorithm>
#include <array>
#include <cstddef>

#include "core/record/stream.hpp"

namespace mirror {
namespace {

constexpr Dictionary user_agents{"user_agents", "user_agent", "useragent", "device"};
constexpr Dictionary links{"links", "link", "link", ""};
constexpr Dictionary descriptions{"descriptions", "description", "description", ""};

constexpr Field timestamp() {
    return {"timestamp", "timestamp", FieldKind::timestamp};
}
constexpr Field integer(std::string_view name) {
    return {name, name, FieldKind::integer};
}
constexpr Field text(std::string_view name, std::string_view column = {}) {
    return {name, column.empty() ? name : column, FieldKind::text};
}
constexpr Field text_or_number(std::string_view name) {
    return {name, name, FieldKind::text_or_number};
}
constexpr Field json(std::string_view name) {
    return {name, name, FieldKind::json};
}
constexpr Field repeated(std::string_view name, const Dictionary& dictionary) {
    return {name, name, FieldKind::dictionary, &dictionary, name == dictionary.second};
}

constexpr Field address(std::string_view name) {
    Field field = text(name);
    field.personal = PersonalData::address;
    return field;
}
constexpr Field user_agent(std::string_view name) {
    Field field = repeated(name, user_agents);
    field.personal = PersonalData::user_agent;
    return field;
}

// Gives each field its slot. More values of a kind than a Row has room for do not compile.
template <std::size_t count, std::size_t dictionary_count>
consteval std::array<Field, count> placed(
    std::array<Field, count> fields,
    const std::array<const Dictionary*, dictionary_count>& dictionaries) {
    std::uint8_t next_integer = 0;
    std::uint8_t next_text = 0;
    for (Field& field : fields) {
        if (field.kind != FieldKind::text && field.name.find('.') != std::string_view::npos) {
            throw "nested fields are texts";
        }
        switch (field.kind) {
            case FieldKind::timestamp:
                break;
            case FieldKind::integer:
                field.slot = next_integer++;
                break;
            case FieldKind::text:
            case FieldKind::text_or_number:
            case FieldKind::json:
                field.slot = next_text++;
                break;
            case FieldKind::dictionary:
                while (dictionaries.at(field.slot) != field.dictionary) {
                    ++field.slot;
                }
                break;
        }
    }
    if (next_integer > most_integers || next_text > most_texts || dictionary_count > most_entries) {
        throw "a row has no room for this stream";
    }
    return fields;
}

constexpr std::array<const Dictionary*, 0> no_dictionaries{};
constexpr std::array agents_alone{&user_agents};
constexpr std::array agents_and_links{&user_agents, &links};
constexpr std::array descriptions_alone{&descriptions};

constexpr auto impression_fields =
    placed(std::array{integer("mailing"), timestamp(), address("ip"), user_agent("useragent"),
                      repeated("device", user_agents), integer("destination"), integer("profile"),
                      integer("subprofile")},
           agents_alone);

constexpr auto click_fields =
    placed(std::array{integer("mailing"), timestamp(), repeated("link", links), address("ip"),
                      user_agent("useragent"), integer("destination"), integer("profile"),
                      integer("subprofile")},
           agents_and_links);

constexpr auto delivery_fields =
    placed(std::array{integer("mailing"), timestamp(), integer("attempts"), integer("destination"),
                      integer("profile"), integer("subprofile")},
           no_dictionaries);

constexpr auto error_fields =
    placed(std::array{integer("mailing"), timestamp(), text_or_number("status"),
                      text_or_number("errorcode"), repeated("description", descriptions),
                      text_or_number("errortype"), integer("destination"), integer("profile"),
                      integer("subprofile")},
           descriptions_alone);

constexpr auto abuse_fields =
    placed(std::array{integer("mailing"), timestamp(), json("report"), integer("destination"),
                      integer("profile"), integer("subprofile")},
           no_dictionaries);

constexpr auto unsubscribe_fields =
    placed(std::array{integer("mailing"), timestamp(), text("source"), integer("destination"),
                      integer("profile"), integer("subprofile")},
           no_dictionaries);

constexpr auto mailing_fields =
    placed(std::array{timestamp(), text("subject"), text("from_address.name", "from_name"),
                      text("from_address.email", "from_email"), integer("template"), text("type"),
                      integer("destinations"), json("target")},
           no_dictionaries);

constexpr std::array all{
    Stream{"impressions", "impression", "impression_rows", "ms/impressions",
           "draganddrop/impressions", "begintime", "endtime", "ID", impression_fields, agents_alone,
           StatisticsForm::total_and_unique},
    Stream{"clicks", "click", "click_rows", "ms/clicks", "draganddrop/clicks", "begintime",
           "endtime", "ID", click_fields, agents_and_links, StatisticsForm::total_and_unique},
    Stream{"deliveries", "delivery", "delivery_rows", "ms/deliveries", "draganddrop/deliveries",
           "begintime", "endtime", "ID", delivery_fields, no_dictionaries, StatisticsForm::total},
    Stream{"errors", "error", "error_rows", "ms/errors", "draganddrop/errors", "begintime",
           "endtime", "ID", error_fields, descriptions_alone, StatisticsForm::total_and_unique},
    Stream{"abuses", "abuse", "abuse_rows", "ms/abuses", "draganddrop/abuses", "begintime",
           "endtime", "ID", abuse_fields, no_dictionaries, StatisticsForm::total_and_unique},
    Stream{"unsubscribes", "unsubscribe", "unsubscribe_rows", "ms/unsubscribes",
           "draganddrop/unsubscribes", "begintime", "endtime", "ID", unsubscribe_fields,
           no_dictionaries, StatisticsForm::total_and_unique},
    Stream{"mailings", "mailing", "mailing_rows", "ms/emailings", "draganddrop/emailings",
           "fromdate", "todate", "id", mailing_fields, no_dictionaries},
};

}  // namespace

std::span<const Stream> streams() {
    return all;
}

bool has_column(const Stream& stream, std::string_view column) {
    return std::any_of(stream.fields.begin(), stream.fields.end(),
                       [&](const Field& field) { return field.column == column; });
}

const Stream* find_stream(std::string_view name) {
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const Stream& stream) { return stream.name == name; });
    return found == all.end() ? nullptr : &*found;
}

}  // namespace mirror
