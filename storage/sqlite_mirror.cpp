#include "storage/sqlite_mirror.hpp"

#include <utility>

#include "storage/sqlite/page_writes.hpp"

namespace mirror::storage {

SqliteMirror::SqliteMirror(MirrorOptions options, Clock& clock, std::function<void()> opening)
    : SqliteMirror(std::move(options), clock, std::make_unique<ThreadExecutor>(),
                   std::move(opening)) {
    slow_calls_ = std::make_unique<AwaitableCalls>(std::make_unique<ThreadExecutor>());
}

SqliteMirror::SqliteMirror(MirrorOptions options, Clock& clock,
                           std::unique_ptr<CallExecutor> executor, std::function<void()> opening)
    : clock_(clock),
      opening_(std::move(opening)),
      file_(watched(std::move(options)), clock.utc()),
      calls_(std::move(executor)) {
    opening_ = nullptr;
}

MirrorOptions SqliteMirror::watched(MirrorOptions options) {
    options.progressing = [this] {
        ++steps_;
        if (opening_) {
            opening_();
        }
    };
    return options;
}

SqliteStore& SqliteMirror::store(const Stream& stream) {
    return stores_
        .try_emplace(&stream, file_, calls_, slow_calls_ ? *slow_calls_ : calls_, clock_, stream)
        .first->second;
}

Activity SqliteMirror::activity() const {
    Activity now;
    now.done = calls_.done();  // first, so that it is never ahead of what was asked
    now.asked = calls_.asked();
    now.steps = steps_ + page_writes();
    return now;
}

}  // namespace mirror::storage
