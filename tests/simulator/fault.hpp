// What can go wrong with one reply, and rules that say with which.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/simulator/request.hpp"

namespace simulator {

/// A reply of rows before it becomes text. A member that is absent is left out.
struct Page {
    std::optional<std::uint64_t> start;
    std::optional<std::uint64_t> limit;
    std::optional<std::uint64_t> count;
    std::optional<std::uint64_t> total;
    std::vector<std::string> records;  ///< JSON objects
};

/// A reply ready to be sent.
struct Reply {
    unsigned status = 200;
    std::string content_type = "application/json";
    std::vector<std::pair<std::string, std::string>> headers;  ///< further ones
    std::string body;
};

/// How the reply reaches the client.
enum class Delivery {
    whole,
    close_before,        ///< the connection ends in place of a reply
    reset_before,        ///< the same, by RST
    hang,                ///< no reply, and the connection stays
    hang_in_body,        ///< half of the body, and the connection stays
    close_in_body,       ///< half of the body, then the connection ends
    reset_in_body,       ///< the same, by RST
    without_last_chunk,  ///< chunked, all of the body, but not its end
    close_after,         ///< whole, then the connection ends unannounced
};

/// What is sent in place of a reply, as it is: this way also what HTTP forbids can be said.
struct VerbatimReply {
    std::string bytes;
    std::string piece;         ///< follows, so often, or until the client has gone
    std::uint64_t pieces = 0;  ///< 2 GB need not be held
    enum class End { close, reset, stay };
    End end = End::close;  ///< of the connection
};

/// What happens to one reply. Members that are set apply one after the other.
struct Fault {
    std::chrono::milliseconds delay{0};
    /// In place of everything else; it is given the right body, not compressed.
    std::function<VerbatimReply(const std::string&)> raw;
    std::optional<Reply> reply;               ///< in place of an answer
    std::function<void(Question&)> question;  ///< edits what is looked up
    std::function<void(Page&)> page;          ///< edits the page
    std::function<void(std::string&)> body;   ///< edits the body, before it is compressed
    std::function<void(std::string&)> bytes;  ///< edits the body, after it was compressed
    Delivery delivery = Delivery::whole;
};

/// Says for each request what goes wrong, if anything. Called on the server's thread.
using Rule = std::function<std::optional<Fault>(const Request&)>;

namespace faults {

Fault status(unsigned status, std::string body = "", std::string content_type = "text/html");
/// An error as the API words it.
Fault error(unsigned status, const std::string& message);
Fault invalid_token();
Fault redirect(const std::string& location, unsigned status = 301);
Fault too_many_requests(std::optional<std::string> retry_after = std::nullopt);
/// The load balancer's HTML page: 502, 503 or 504.
Fault gateway(unsigned status = 502);
Fault html_as_ok();

/// No rows and, if it was asked for, `total` 0: a lie that looks right.
Fault empty_reply();
/// Only the first `rows` rows; `honest_total` makes `total` what is left, too.
Fault short_page(std::size_t rows, bool honest_total = false);
/// The rows of a period that lies `by` later; the envelope says what was asked.
Fault other_period(mirror::Seconds by);
/// The envelope names another `start`.
Fault wrong_start(std::uint64_t by = 1);
/// The rows are those of another `start`; the envelope does not say so.
Fault moved_rows(std::uint64_t by = 1);
Fault wrong_count(std::int64_t by = 1);
Fault wrong_total(std::int64_t by = 1);
Fault wrong_limit(std::uint64_t limit);
Fault without_total();
/// The last record is the first once more.
Fault duplicate();
Fault malformed_json();
Fault cut_json();
Fault trailing(const std::string& text);
Fault cut_gzip();

Fault raw(VerbatimReply reply);
Fault delivery(Delivery delivery);
Fault delay(std::chrono::milliseconds delay);

}  // namespace faults

/// Rules for requests for the rows of any stream; `call_number` counts, for each stream.
namespace rules {

Rule when(std::function<bool(const Request&)> condition, Fault fault);
Rule nth(std::set<std::uint64_t> numbers, Fault fault);
Rule every(std::uint64_t nth, Fault fault);
/// `count` requests from the one of that number.
Rule in_a_row(std::uint64_t from, std::uint64_t count, Fault fault);
Rule always(Fault fault);
/// Every request whose period contains `local`, bounds included.
Rule containing(mirror::LocalTime local, Fault fault);
/// A share of the requests fails, each in a way drawn at random: 5xx, 429, cut off, broken.
Rule at_random(double share, std::uint64_t seed);
/// A share of the API's requests, of whichever call, has its token refused with 401.
Rule unauthorized_at_random(double share, std::uint64_t seed);
/// The rule, for that stream alone.
Rule on(StreamId stream, Rule rule);
/// The first of the rules that has a fault.
Rule first_of(std::vector<Rule> rules);
/// Requests for identity, in place of rows.
Rule identity(Fault fault);
/// Requests of one call, whichever it is.
Rule call(Call call, Fault fault);

}  // namespace rules

}  // namespace simulator
