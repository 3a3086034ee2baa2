#include "tests/fuzz/page_text.hpp"

#include "core/time/text.hpp"
#include "core/util/printable.hpp"
#include "tests/fuzz/target.hpp"
#include "tests/support/impression.hpp"

namespace mirror::fuzz {
namespace {

template <class Number>
std::string number(const std::optional<Number>& value) {
    return value ? std::to_string(*value) : "-";
}

// The length stands before the text, so that no text can look like two.
template <class Text>
std::string text(const std::optional<Text>& value) {
    return value ? std::to_string(value->size()) + ":" + std::string(*value) : "-";
}

}  // namespace

std::string text_of(const copernica::Page& page) {
    std::string result = number(page.start) + " " + number(page.limit) + " " + number(page.count) +
                         " " + number(page.total) + "\n";
    for (const Row& each : page.rows) {
        const tests::Impression row = tests::impression_of(each);
        result += std::to_string(row.id) + " " + format_local(row.time) + " ";
        result += number(row.mailing) + " " + number(row.destination) + " " + number(row.profile) +
                  " " + number(row.subprofile) + " ";
        result += text(row.ip) + " " + text(row.useragent) + " " + text(row.device) + " " +
                  text(row.extra) + "\n";
    }
    for (const Reject& reject : page.rejects) {
        result += "reject " + std::to_string(reject.position) + " " + number(reject.id) + " ";
        result += (reject.time ? format_local(*reject.time) : "-") + " " + text(reject.timestamp);
        result += " " + reject.reason + " " + reject.record + "\n";
    }
    return result;
}

void check_rows(const copernica::Page& page) {
    for (const Row& row : page.rows) {
        require(row.id > 0, "a row has no usable ID");
    }
    std::size_t next = 0;
    for (const Reject& reject : page.rejects) {
        require(reject.position >= next && reject.position < page.records(),
                "a reject has no place among the records");
        next = reject.position + 1;
        require(printable(reject.reason, reject.reason.size()) == reject.reason,
                "a reject's reason is not fit for a terminal");
        require(!reject.id || *reject.id > 0, "a reject has an unusable ID");
    }
}

}  // namespace mirror::fuzz
