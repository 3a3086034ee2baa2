#include "tests/simulator/nasty.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "core/time/text.hpp"
#include "tests/simulator/details.hpp"
#include "tests/simulator/encode.hpp"

namespace simulator {
namespace {

using Number = std::optional<std::int64_t> Row::*;
using Text = std::optional<std::string> Row::*;

// A record as members of JSON, in order, so that single ones can be bent.
using Members = std::vector<std::pair<std::string, std::string>>;

std::string json_string(std::string_view text) {
    std::string out;
    append_string(out, text, Encoding::php);
    return out;
}

std::string joined(const Members& members) {
    std::string out;
    for (const auto& [name, value] : members) {
        out += out.empty() ? "{" : ",";
        out += json_string(name) + ":" + value;
    }
    return out + "}";
}

std::string value_of(const Row& row, const Field& field) {
    if (const auto* number = std::get_if<Number>(&field.member)) {
        return row.**number ? std::to_string(*(row.**number)) : "null";
    }
    const auto& text = row.*std::get<Text>(field.member);
    if (!text) {
        return "null";
    }
    return field.form == FieldForm::json ? *text : json_string(*text);
}

void set_null(Row& row, const Field& field) {
    if (const auto* number = std::get_if<Number>(&field.member)) {
        (row.**number).reset();
    } else {
        (row.*std::get<Text>(field.member)).reset();
    }
}

bool has_member(const Field& field) {
    return !std::holds_alternative<std::monostate>(field.member);
}

class Maker {
  public:
    Maker(StreamId stream, std::int64_t first_id, mirror::Instant at, const mirror::Zone& zone)
        : stream_(stream), facts_(facts_of(stream)), next_id_(first_id), at_(at), zone_(zone) {}

    std::vector<NastyRow> make() {
        for (const Field& field : facts_.fields) {
            if (has_member(field)) {
                wrong_kinds(field);
                absent(field);
            }
        }
        nested();
        twice();
        texts();
        if (stream_ == StreamId::abuses) {
            reports();
        }
        return std::move(rows_);
    }

  private:
    Row plain() {
        Row row;
        row.id = next_id_++;
        row.at = at_;
        row.mailing = 412;
        row.destination = 112;
        row.profile = 13453;
        row.subprofile = 7;
        row.ip = "192.0.2.7";
        row.useragent = "Mozilla/5.0";
        row.device = "desktop";
        row.raw_is_row = true;
        add_details(stream_, row, static_cast<std::uint64_t>(row.id));
        return row;
    }

    // The record, with each field's value as `bend` says; nothing: it is left out.
    Members members(
        const Row& row,
        const std::function<std::optional<std::string>(const Field&, const std::string&)>& bend)
        const {
        Members all;
        Members object;
        std::string_view parent;
        const auto close = [&] {
            if (!parent.empty()) {
                all.emplace_back(parent, object.empty() ? "{}" : joined(object));
                object.clear();
            }
        };
        for (const Field& field : facts_.fields) {
            if (field.parent != parent) {
                close();
                parent = field.parent;
            }
            Members& into = parent.empty() ? all : object;
            if (field.form == FieldForm::id) {
                into.emplace_back(field.name, std::to_string(row.id));
            } else if (field.form == FieldForm::timestamp) {
                into.emplace_back(field.name,
                                  json_string(mirror::format_local(zone_.to_local(row.at))));
            } else if (const auto value = bend(field, value_of(row, field))) {
                into.emplace_back(field.name, *value);
            }
        }
        close();
        return all;
    }

    Members members(const Row& row) const {
        return members(row, [](const Field&, const std::string& value) { return value; });
    }

    void keep(std::string what, Row row, const Members& sent, std::string in_extra = {}) {
        row.raw = joined(sent);
        rows_.push_back({std::move(what), std::move(row), std::move(in_extra)});
    }

    void bent(const Field& field, const std::string& value, bool kept_as_text) {
        Row row = plain();
        const Members sent =
            members(row, [&](const Field& other, const std::string& usual) -> std::string {
                return &other == &field ? value : usual;
            });
        const bool is_null = value == "null";
        if (kept_as_text) {
            row.*std::get<Text>(field.member) = value;
        } else {
            set_null(row, field);
        }
        keep(std::string(field.column) + " is " + value, std::move(row), sent,
             is_null || kept_as_text ? "" : value);
    }

    void wrong_kinds(const Field& field) {
        bent(field, "null", false);
        bent(field, "true", false);
        const bool number = std::holds_alternative<Number>(field.member);
        if (field.form != FieldForm::json) {
            bent(field, R"(["nasty-list"])", false);
            bent(field, R"({"nasty":"object"})", false);
        }
        if (number || field.form == FieldForm::json) {
            bent(field, R"("nasty-text")", false);
        }
        if (field.form == FieldForm::json) {
            bent(field, "17", false);
        } else if (!number) {
            bent(field, "17", field.form == FieldForm::loose);
        } else {
            bent(field, "1.5", false);
        }
    }

    void absent(const Field& field) {
        Row row = plain();
        const Members sent = members(
            row, [&](const Field& other, const std::string& usual) -> std::optional<std::string> {
                return &other == &field ? std::nullopt : std::optional(usual);
            });
        set_null(row, field);
        keep(std::string(field.column) + " is absent", std::move(row), sent);
    }

    // The objects in which fields are: each is one of many other things.
    void nested() {
        std::string_view before;
        for (const Field& field : facts_.fields) {
            if (field.parent.empty() || field.parent == before) {
                continue;
            }
            before = field.parent;
            for (const char* value :
                 {"null", "[]", "{}", R"("nasty-address")", "17", R"([{"name":"nasty-name"}])"}) {
                instead_of_object(field.parent, value);
            }
        }
    }

    void instead_of_object(std::string_view parent, const std::string& value) {
        Row row = plain();
        Members sent = members(row);
        for (auto& [name, usual] : sent) {
            if (name == parent) {
                usual = value;
            }
        }
        for (const Field& field : facts_.fields) {
            if (field.parent == parent) {
                set_null(row, field);
            }
        }
        const bool remarkable = value.find("nasty") != std::string::npos || value == "17";
        keep(std::string(parent) + " is " + value, std::move(row), sent, remarkable ? value : "");
    }

    void twice() {
        Row row = plain();
        Members sent = members(row);
        sent.push_back(sent[1]);
        keep("a key comes twice", std::move(row), sent);

        row = plain();
        sent = members(row);
        const bool lower = sent[0].first == "id";
        sent.insert(sent.begin() + 1, {lower ? "ID" : "id", json_string("nasty-id")});
        keep("ID and id both", std::move(row), sent, "nasty-id");

        row = plain();
        sent = members(row);
        sent.emplace_back("nasty", R"({"deep":[[[[{"a":null}]]]]})");
        sent.emplace_back("", R"("nasty-empty-key")");
        keep("unknown keys", std::move(row), sent, "nasty-empty-key");
    }

    // Each text with contents that break what is made with less care.
    void texts() {
        const std::array<std::pair<std::string, std::string>, 7> all{{
            {"has U+0000", std::string("https://shop.example/\0end", 25)},
            {"has templates", "https://shop.example/{$profile.id}/{$a[\"b\"]|c:'d'}?{{$e}}"},
            {"has 8 KB", "https://shop.example/?q=" + std::string(8192, 'x')},
            {"is empty", ""},
            {"is not a name in SQL", "'; DROP TABLE click_rows; --\"\\ %s {} \x1b[2J"},
            {"is in all planes", "\xc3\xa9\xe2\x9c\x89\xf0\x9f\x93\xa7\xe2\x80\xae"},
            {"looks like a number", "007"},
        }};
        for (const Field& field : facts_.fields) {
            if (!std::holds_alternative<Text>(field.member) || field.form == FieldForm::json) {
                continue;
            }
            for (const auto& [what, text] : all) {
                Row row = plain();
                row.*std::get<Text>(field.member) = text;
                const Members sent = members(row);
                keep(std::string(field.column) + " " + what, std::move(row), sent);
            }
        }
    }

    void reports() {
        constexpr std::size_t megabyte = 1 << 20;
        const std::array<std::pair<std::string, std::string>, 4> all{{
            {"a report of 1 MB", R"({"mail":")" + std::string(megabyte, 'm') + "\"}"},
            {"a report that is a list", R"([1,"two",{"b":3,"a":null}])"},
            {"a report with U+0000", R"({"mail":"a\u0000b"})"},
            {"a deep report", R"({"a":{"b":{"c":{"d":{"e":{"f":{"g":[[[[]]]]}}}}}}})"},
        }};
        for (const auto& [what, report] : all) {
            Row row = plain();
            row.report = report;
            const Members sent = members(row);
            keep(what, std::move(row), sent);
        }
    }

    StreamId stream_;
    const StreamFacts& facts_;
    std::int64_t next_id_;
    mirror::Instant at_;
    const mirror::Zone& zone_;
    std::vector<NastyRow> rows_;
};

}  // namespace

std::vector<NastyRow> nasty_rows(StreamId stream, std::int64_t first_id, mirror::Instant at,
                                 const mirror::Zone& zone) {
    return Maker(stream, first_id, at, zone).make();
}

}  // namespace simulator
