// Sends one photograph to a running service and says what the applicant is to be told. The standard library alone.
//
//	BONAFIDE_URL=http://127.0.0.1:8080 BONAFIDE_KEY=bf_… go run check.go photo.jpg
package main

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"
)

// Report is what the flow of an upload needs of it.
type Report struct {
	Decision string `json:"decision"`
	Reasons  []struct {
		Code string `json:"code"`
		En   string `json:"en"`
		Zh   string `json:"zh"`
	} `json:"reasons"`
}

// Check asks for the report of a photograph: the untouched file of the camera.
func Check(photograph []byte, document string) (Report, error) {
	var report Report
	where := os.Getenv("BONAFIDE_URL")
	if where == "" {
		where = "http://127.0.0.1:8080"
	}
	where += "/v1/check"
	if document != "" {
		where += "?document=" + document
	}
	drawn := make([]byte, 16)
	if _, err := rand.Read(drawn); err != nil {
		return report, err
	}
	client := http.Client{Timeout: time.Minute}
	for tries := 4; ; tries-- {
		request, err := http.NewRequest(http.MethodPost, where, bytes.NewReader(photograph))
		if err != nil {
			return report, err
		}
		request.Header.Set("Content-Type", "application/octet-stream")
		// The same key each time: what was recorded before the answer was lost is not recorded twice.
		request.Header.Set("Idempotency-Key", hex.EncodeToString(drawn))
		if key := os.Getenv("BONAFIDE_KEY"); key != "" {
			request.Header.Set("Authorization", "Bearer "+key)
		}
		answer, err := client.Do(request)
		if err != nil {
			return report, err
		}
		if answer.StatusCode == http.StatusOK {
			defer answer.Body.Close()
			return report, json.NewDecoder(answer.Body).Decode(&report)
		}
		var problem struct{ Code, Detail string }
		err = json.NewDecoder(answer.Body).Decode(&problem)
		answer.Body.Close()
		busy := answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode == http.StatusServiceUnavailable
		if err != nil || !busy || tries <= 1 {
			return report, fmt.Errorf("%d %s: %s", answer.StatusCode, problem.Code, problem.Detail)
		}
		wait, err := strconv.Atoi(answer.Header.Get("Retry-After"))
		if err != nil {
			wait = 1
		}
		time.Sleep(time.Duration(wait) * time.Second)
	}
}

func main() {
	photograph, err := os.ReadFile(os.Args[1])
	if err == nil {
		var report Report
		if report, err = Check(photograph, ""); err == nil {
			fmt.Println(report.Decision)
			for _, reason := range report.Reasons {
				fmt.Printf("%s: %s\n", reason.Code, reason.En)
			}
			return
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(2)
}
