package operate

import (
	"context"
	"time"
)

const (
	// firstPatience is how long a query is waited for before it is asked again;
	// it doubles with each of the tries.
	firstPatience = 3 * time.Second
	queryTries    = 3
)

// patiently asks again what has no answer. Now and then a query of a workflow that
// is not busy has none, while those beside it have; asked again it is answered.
func patiently(ctx context.Context, ask func(context.Context) error) error {
	var err error
	for try := range queryTries {
		err = within(ctx, firstPatience<<try, ask)
		if err == nil || ctx.Err() != nil || !timedOut(err) {
			return err
		}
	}
	return err
}

func within(ctx context.Context, limit time.Duration, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return ask(ctx)
}
