package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/outbound"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// flushWithin is how long a stopping server waits for its last traces to be taken.
const flushWithin = 2 * time.Second

// tracer makes the spans of this server. They say which route or whose host, how it ended and how long the store took: never
// a path, a query, a header, a name, or the text of an error.
type tracer struct {
	provider  *sdk.TracerProvider
	spans     trace.Tracer
	collector *collector
}

// newTracer is nil when tracing is off: then nothing of this file is in the way of a request.
func newTracer(c config.Tracing, log *slog.Logger) *tracer {
	if c.Endpoint == "" {
		return nil
	}
	everywhere := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")} // the operator wrote the address
	to := &collector{endpoint: c.Endpoint, client: outbound.New(outbound.Options{Allow: everywhere}), log: log}
	// A stranger's flag does not decide what is kept; within this server the request's span does.
	ours := sdk.TraceIDRatioBased(c.Sample)
	provider := sdk.NewTracerProvider(
		sdk.WithBatcher(otlptrace.NewUnstarted(to), sdk.WithBatchTimeout(time.Second), sdk.WithExportTimeout(5*time.Second)), // a full queue drops: it never waits
		sdk.WithSampler(sdk.ParentBased(ours, sdk.WithRemoteParentSampled(ours), sdk.WithRemoteParentNotSampled(ours))),
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", "exeunt"))))
	return &tracer{provider, provider.Tracer("exeunt.dev"), to}
}

func (t *tracer) close() {
	ctx, cancel := context.WithTimeout(context.Background(), flushWithin)
	defer cancel()
	t.provider.Shutdown(ctx) // what could not be delivered is said by the collector
	t.collector.client.Close()
}

// request begins the span of a request. The caller's trace goes on (W3C Trace Context), without its tracestate: that is
// text of the caller's choice.
func (t *tracer) request(r *http.Request) (*http.Request, func(route string, status int)) {
	ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	if from := trace.SpanContextFromContext(ctx); from.IsValid() {
		ctx = trace.ContextWithRemoteSpanContext(ctx, from.WithTraceState(trace.TraceState{}))
	}
	ctx, span := t.spans.Start(ctx, "request", trace.WithSpanKind(trace.SpanKindServer))
	if span.IsRecording() {
		edge.Note(ctx, "trace", span.SpanContext().TraceID().String())
	}
	return r.WithContext(ctx), func(route string, status int) {
		if route == "" {
			route = "none"
		}
		span.SetName(route)
		span.SetAttributes(attribute.String("http.route", route), attribute.String("http.request.method", method(r.Method)),
			attribute.Int("http.response.status_code", status), attribute.String("exeunt.request", edge.RequestID(ctx)))
		if status >= 500 {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}

// method is one that HTTP knows: others are text of the caller's choice.
func method(m string) string {
	known := []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}
	if slices.Contains(known, m) {
		return m
	}
	return "_OTHER"
}

// call is the span of a call to somebody else, which is told of no trace.
func (t *tracer) call(ctx context.Context, host string) func(status int, failed outbound.Kind) {
	_, span := t.spans.Start(ctx, "call", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attribute.String("server.address", host)))
	return func(status int, failed outbound.Kind) {
		if status != 0 {
			span.SetAttributes(attribute.Int("http.response.status_code", status))
		}
		if failed != "" {
			span.SetAttributes(attribute.String("error.type", string(failed)))
		}
		if failed != "" || status >= 400 {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}

// tracedStore makes a span of each use that serves a traced request.
type tracedStore struct {
	idp.Store
	spans trace.Tracer
}

func (s tracedStore) Update(ctx context.Context, f func(idp.Tx) error) error {
	return s.span(ctx, "store update", func(ctx context.Context) error { return s.Store.Update(ctx, f) })
}

func (s tracedStore) Join(ctx context.Context, asks idp.Foresight, f func(idp.Tx) error) error {
	return s.span(ctx, "store join", func(ctx context.Context) error { return s.Store.Join(ctx, asks, f) })
}

func (s tracedStore) Decide(ctx context.Context, look func(idp.View) (*idp.Foresight, error), do func(idp.Tx) error) error {
	return s.span(ctx, "store decide", func(ctx context.Context) error { return s.Store.Decide(ctx, look, do) })
}

func (s tracedStore) View(ctx context.Context, f func(idp.View) error) error {
	return s.span(ctx, "store view", func(ctx context.Context) error { return s.Store.View(ctx, f) })
}

func (s tracedStore) Look(ctx context.Context, f func(idp.View) error) error {
	return s.span(ctx, "store look", func(ctx context.Context) error { return s.Store.Look(ctx, f) })
}

func (s tracedStore) span(ctx context.Context, name string, use func(context.Context) error) error {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return use(ctx)
	}
	ctx, span := s.spans.Start(ctx, name)
	defer span.End()
	err := use(ctx)
	for _, kind := range []error{idp.ErrUnavailable, idp.ErrUnknown} { // others are answers
		if errors.Is(err, kind) {
			span.SetStatus(codes.Error, "")
			span.SetAttributes(attribute.String("error.type", kind.Error()))
		}
	}
	return err
}

// collector delivers spans by OTLP/HTTP. It is otlptracehttp without gRPC, which that would link into a server that speaks none,
// and by the one outbound client.
type collector struct {
	endpoint string
	client   *outbound.Client
	log      *slog.Logger
	lost     atomic.Bool // and said
}

func (c *collector) Start(context.Context) error { return nil }

func (c *collector) Stop(context.Context) error { return nil }

// UploadTraces delivers a batch once: a trace is not worth a retry. TracesData is on the wire what the protocol's request is.
func (c *collector) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err != nil {
		return err
	}
	answer, err := c.client.Do(ctx, outbound.Request{Method: http.MethodPost, URL: c.endpoint, Header: http.Header{"Content-Type": {"application/x-protobuf"}}, Body: body})
	if err == nil && answer.Status/100 != 2 {
		err = fmt.Errorf("status %d", answer.Status)
	}
	switch {
	case err != nil && !c.lost.Swap(true):
		c.log.Warn("traces cannot be delivered and are dropped", "endpoint", c.endpoint, "error", err)
	case err == nil && c.lost.Swap(false):
		c.log.Info("traces are delivered again", "endpoint", c.endpoint)
	}
	return nil // it has been said
}
