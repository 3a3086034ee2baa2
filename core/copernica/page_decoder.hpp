// From the JSON of a reply to a Page, while the bytes arrive.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "core/copernica/page.hpp"
#include "core/copernica/page_limits.hpp"
#include "core/http/body_sink.hpp"
#include "core/record/privacy.hpp"
#include "core/record/stream.hpp"
#include "core/record/text_pool.hpp"
#include "core/util/secrets.hpp"

namespace mirror::copernica {

/// Decodes pages one after another, with no document in between and no allocation per field; its
/// buffers are kept. Texts of dictionaries (user agents, say) are kept once per pool.
///
/// The stream's table says how each field is read (record/stream.hpp). IDs and timestamps of
/// another plain form ("1.0", "2014-10-09T13:41:46") are read, too, if no record of the reply has
/// the usual one (see RecordBuilder). A record that cannot be a row becomes a Reject; anything that
/// makes the whole reply doubtful is a BadBody: not JSON, not an object, no array `data` in it or
/// two of them, something after the end, a limit exceeded.
class PageDecoder final : public http::BodySink {
  public:
    explicit PageDecoder(const PageLimits& limits = {});
    ~PageDecoder() override;
    PageDecoder(const PageDecoder&) = delete;
    PageDecoder& operator=(const PageDecoder&) = delete;

    /// Forgets what there is and begins a page of this stream's records. In its texts, `mask` is
    /// replaced: a server may put the token there, in a field with the URL of the record, say; what
    /// is stored, and may be read by many, must not hold it. `mask` must outlive take(), and may
    /// get more secrets meanwhile. Texts
    /// of dictionaries go into `entries`, which the page keeps alive. What `privacy` does not keep
    /// is nowhere in the page.
    void begin(const Stream& stream, const Secrets& mask, std::shared_ptr<TextPool> entries,
               const Privacy& privacy);
    /// The same, with nothing to replace and a pool for this page alone.
    void begin(const Stream& stream, const Privacy& privacy = {});

    void feed(std::string_view piece) override;
    void finish() override;

    /// The page, once finish() returned.
    Page take();

  private:
    struct Parser;
    std::unique_ptr<Parser> parser_;
};

}  // namespace mirror::copernica
