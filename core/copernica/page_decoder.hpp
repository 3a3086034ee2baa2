// From the JSON of a reply to a Page, while the bytes arrive.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "core/copernica/page.hpp"
#include "core/http/body_sink.hpp"
#include "core/record/stream.hpp"

namespace mirror::copernica {

/// What a page may take.
struct PageLimits {
    std::size_t body_bytes = std::size_t{32} << 20;
    std::size_t text_bytes = std::size_t{1} << 20;    ///< one string, key or number
    std::size_t record_bytes = std::size_t{4} << 20;  ///< one record
    std::size_t records = 100'000;
    std::size_t reject_bytes = std::size_t{4} << 20;  ///< all rejects of the page together
    std::size_t depth = 32;                           ///< of nested arrays and objects
};

/// Decodes pages one after another, with no document in between and no allocation per field; its
/// buffers are kept. Texts of dictionaries (user agents, say) are kept once per page.
///
/// The stream's table says how each field is read (record/stream.hpp). A
/// record that cannot be a row becomes a Reject; anything that makes the whole reply doubtful is
/// a BadBody: no JSON, no object, no array `data` in it or two of them, something after the end,
/// a limit exceeded.
class PageDecoder final : public http::BodySink {
  public:
    explicit PageDecoder(const PageLimits& limits = {});
    ~PageDecoder() override;
    PageDecoder(const PageDecoder&) = delete;
    PageDecoder& operator=(const PageDecoder&) = delete;

    /// Forgets what there is and begins a page of this stream's records.
    void begin(const Stream& stream);

    void feed(std::string_view piece) override;
    void finish() override;

    /// The page, once finish() returned.
    Page take();

  private:
    struct Parser;
    std::unique_ptr<Parser> parser_;
};

}  // namespace mirror::copernica
