#include "core/copernica/page_decoder.hpp"

#include <optional>
#include <string>
#include <utility>

#include <boost/json/basic_parser_impl.hpp>

#include "core/copernica/page_events.hpp"

namespace mirror::copernica {
namespace {

// Boost.JSON writes up to three bytes past a buffer of 4096 on its stack if a character was cut
// between two writes and more than the buffer holds follows in the same text (seen with 1.81 and
// 1.83). A write that is smaller than the buffer by more than a character cannot get there.
constexpr std::size_t longest_slice = 4000;

json::parse_options options(const PageLimits& limits) {
    json::parse_options result;
    result.max_depth = limits.depth;
    return result;
}

}  // namespace

struct PageDecoder::Parser {
    explicit Parser(const PageLimits& page_limits)
        : limits(page_limits), json(options(page_limits), page_limits) {}

    void begin(const Stream& stream, const Secrets* mask, std::shared_ptr<TextPool> entries,
               const Privacy& privacy);
    void write(std::string_view slice);

    PageLimits limits;
    json::basic_parser<PageEvents> json;
    std::size_t fed = 0;  // bytes
};

void PageDecoder::Parser::write(std::string_view slice) {
    boost::json::error_code error;
    const std::size_t read = json.write_some(true, slice.data(), slice.size(), error);
    const std::size_t before = fed;
    fed += slice.size();
    if (const char* const failure = json.handler().failure()) {
        throw http::BadBody(failure);
    }
    if (error == boost::json::error::too_deep) {
        throw http::BadBody("the reply is nested too deeply");
    }
    if (error) {
        throw http::BadBody("the reply is not JSON (" + error.message() + ", in the bytes from " +
                            std::to_string(before) + ")");
    }
    if (read < slice.size()) {
        throw http::BadBody("something follows the JSON of the reply, at byte " +
                            std::to_string(before + read));
    }
}

PageDecoder::PageDecoder(const PageLimits& limits) : parser_(std::make_unique<Parser>(limits)) {}

PageDecoder::~PageDecoder() = default;

void PageDecoder::Parser::begin(const Stream& stream, const Secrets* mask,
                                std::shared_ptr<TextPool> entries, const Privacy& privacy) {
    json.reset();
    json.handler().begin(stream, mask, std::move(entries), privacy);
    fed = 0;
}

void PageDecoder::begin(const Stream& stream, const Secrets& mask,
                        std::shared_ptr<TextPool> entries, const Privacy& privacy) {
    parser_->begin(stream, &mask, std::move(entries), privacy);
}

void PageDecoder::begin(const Stream& stream, const Privacy& privacy) {
    parser_->begin(stream, nullptr, std::make_shared<TextPool>(), privacy);
}

void PageDecoder::feed(std::string_view piece) {
    if (piece.empty()) {
        return;
    }
    if (piece.size() > parser_->limits.body_bytes - parser_->fed) {
        throw http::BadBody("the reply is too large", http::BadBody::Kind::cut_off_or_too_large);
    }
    while (!piece.empty()) {
        const std::string_view slice = piece.substr(0, longest_slice);
        parser_->write(slice);
        piece.remove_prefix(slice.size());
    }
}

void PageDecoder::finish() {
    json::error_code error;
    parser_->json.write_some(false, "", 0, error);
    if (const char* const failure = parser_->json.handler().failure()) {
        throw http::BadBody(failure);
    }
    if (error) {
        throw http::BadBody(
            parser_->fed == 0 ? "the reply is empty" : "the JSON of the reply is cut off",
            http::BadBody::Kind::cut_off_or_too_large);
    }
    if (const std::optional<std::string>& message = parser_->json.handler().error()) {
        throw http::BadBody("the API reports an error" + (message->empty() ? "" : ": " + *message));
    }
    if (!parser_->json.handler().data_seen()) {
        throw http::BadBody("the reply has no \"data\"");
    }
}

Page PageDecoder::take() {
    return parser_->json.handler().take();
}

}  // namespace mirror::copernica
